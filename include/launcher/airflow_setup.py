"""Airflow's database made ready in one process: tables, roles, people; then connections and variables.

`python -m launcher.airflow_setup` imports Airflow once (its command line would, nine times). It touches
`airflow/migrated` when Airflow's processes may start, then waits for the sandbox and the agencies.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from launcher import connections, settings
from launcher.checkout import Checkout, write_private
from launcher.people import Permission, Person, people, roles
from onboarding.manifests import load_folder

WAIT_S = 300.0
READY_FILES = ("sandbox.json", "agencies.json")


def main() -> int:
    checkout = Checkout()
    chosen = settings.load(checkout)
    # Roles and owners of all manifests: every DAG names its owner's role, also of a pilot that is left out this time.
    pilots = tuple(load_folder(checkout.pilots()).manifests)
    _migrate()
    ids = _people(people(pilots), roles(pilots), checkout.secrets())
    (checkout.airflow_home / "migrated").touch(mode=0o600)
    cloud, agencies = (_await(checkout, name) for name in READY_FILES)
    _connect(checkout, chosen, ids, cloud, agencies)
    write_private(checkout.run / "airflow_setup.json", json.dumps({"people": ids}))
    return 0


def _migrate() -> None:
    from airflow.utils import db
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    providers_configuration_loaded(db.initdb)()


def _people(
    persons: Sequence[Person], wanted: Mapping[str, Sequence[Permission]], passwords: Mapping[str, str]
) -> dict[str, int]:
    """Makes the roles and logins; returns login -> FAB user id."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        security.sync_roles()
        security.bulk_sync_roles([{"role": name, "perms": list(held)} for name, held in wanted.items()])
        for role, held in wanted.items():
            _only(security, role, held)
        made = {}
        for person in persons:
            user = security.find_user(person.login) or security.add_user(
                person.login, person.name, "-", f"{person.login}@namrong.example",
                security.find_role(person.role), passwords[f"login:{person.login}"],
            )  # fmt: skip
            made[person.login] = int(user.id)
    return made


def _only(security: Any, role: str, held: Sequence[Permission]) -> None:
    """Takes away what a role was given by Airflow's own defaults on top of what we wrote down."""
    found = security.find_role(role)
    for permission in list(found.permissions):
        if (permission.action.name, permission.resource.name) not in set(held):
            security.remove_permission_from_role(found, permission)


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
    # The metadata models, not airflow.sdk's: this process writes them.
    from airflow.models.connection import Connection
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    passwords, manifests = checkout.secrets(), load_folder(checkout.pilots()).manifests
    with create_session() as session:
        for values in connections.connections(manifests, chosen, passwords, cloud, agencies):
            session.add(Connection(**values))
        for key, value in connections.variables(people(tuple(manifests)), ids, cloud).items():
            Variable.set(key, json.dumps(value, ensure_ascii=False), session=session)


if __name__ == "__main__":
    sys.exit(main())
