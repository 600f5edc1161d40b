"""Airflow's database made ready in one process: tables, roles, people; then connections and variables.

`python -m launcher.airflow_setup` imports Airflow once (its command line would, nine times). It touches
`airflow/migrated` when Airflow's processes may start, then waits for the sandbox and the agencies.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from launcher import airflow_tables, connections, settings
from launcher.checkout import Checkout, write_private
from launcher.home_database import HOST
from launcher.people import people, roles
from onboarding.manifests import load_folder

WAIT_S = 300.0
READY_FILES = ("sandbox.json", "agencies.json")


def main() -> int:
    checkout = Checkout()
    chosen = settings.load(checkout)
    # Roles and owners of all manifests: every DAG names its owner's role, also of a pilot that is left out this time.
    pilots = tuple(load_folder(checkout.pilots()).manifests)
    airflow_tables.migrate()
    ids = airflow_tables.ensure_people(people(pilots), roles(pilots), checkout.secrets())
    (checkout.airflow_home / "migrated").touch(mode=0o600)
    cloud, agencies = (_await(checkout, name) for name in READY_FILES)
    _connect(checkout, chosen, ids, cloud, agencies)
    write_private(checkout.run / "airflow_setup.json", json.dumps({"people": ids}))
    return 0


def _await(checkout: Checkout, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_S
    path = checkout.run / name
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not appear within {WAIT_S:.0f} s")
        time.sleep(0.1)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _connect(
    checkout: Checkout,
    chosen: settings.Settings,
    ids: Mapping[str, int],
    cloud: Mapping[str, Any],
    agencies: Mapping[str, Any],
) -> None:
    manifests = load_folder(checkout.pilots()).manifests
    home = (HOST, chosen.home_port)
    airflow_tables.keep(
        connections.connections(manifests, home, checkout.secrets(), cloud, agencies),
        connections.variables(people(tuple(manifests)), ids, cloud),
    )


if __name__ == "__main__":
    sys.exit(main())
