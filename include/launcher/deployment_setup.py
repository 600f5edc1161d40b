"""The jobs of docker-compose.yaml that make everything ready and end: safe to repeat, each start runs them again.

`python -m launcher.deployment_setup` makes databases, tables, roles and logins, the ledger and its connection.
`python -m launcher.deployment_setup RUN` adds what leads to the sandbox, from the ready files in the folder RUN.
Secrets come from the environment, see `launcher.deployment`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from launcher import airflow_tables, connections, databases, deployment
from launcher.checkout import Checkout
from launcher.people import people, roles
from onboarding.manifests import load_folder

PEOPLE = "namrong_people"


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Exit status 0 when all of it is there."""
    host, _, port = environment["NAMRONG_POSTGRES"].partition(":")
    server = (host, int(port))
    if arguments:
        _lead_to_sandbox(Path(arguments[0]), server, deployment.passwords(environment))
    else:
        _make_databases(server, environment)
        _fill_airflow(server, deployment.passwords(environment))
    return 0


def _make_databases(server: connections.Address, environment: Mapping[str, str]) -> None:
    passwords = deployment.passwords(environment)
    with psycopg.connect(
        host=server[0], port=server[1], dbname="postgres", user="postgres", autocommit=True,
        password=environment["NAMRONG_POSTGRES_PASSWORD"], connect_timeout=10,
    ) as connection:  # fmt: skip
        databases.ensure_databases(
            connection,
            {
                "airflow": passwords["airflow_database"],
                "celery": passwords["celery_database"],
                databases.LEDGER_OWNER: passwords["ledger_owner"],
            },
        )
    databases.ensure_ledger(*server, passwords["ledger_owner"], passwords["ledger_writer"])


def _fill_airflow(server: connections.Address, passwords: Mapping[str, str]) -> None:
    airflow_tables.migrate()
    ids = _ensure_people(passwords)
    pilots = tuple(load_folder(Checkout().pilots()).manifests)
    # Who approves is the operators' to say: what they wrote there stays.
    fresh = {} if airflow_tables.is_kept(PEOPLE) else {PEOPLE: connections.people_variable(people(pilots), ids)}
    airflow_tables.keep(connections.own_connections(server, passwords), fresh)


def _ensure_people(passwords: Mapping[str, str]) -> dict[str, int]:
    """The roles of all manifests, and the logins that were given a password."""
    pilots = tuple(load_folder(Checkout().pilots()).manifests)
    given = [person for person in people(pilots) if f"login:{person.login}" in passwords]
    return airflow_tables.ensure_people(given, roles(pilots), passwords)


def _lead_to_sandbox(run: Path, server: connections.Address, passwords: Mapping[str, str]) -> None:
    from launcher.components import read, tell_sandbox  # needs the sandbox's packages

    cloud, agencies = read(run / "sandbox.json"), read(run / "agencies.json")
    tell_sandbox(run)
    manifests = load_folder(Checkout().pilots()).manifests
    airflow_tables.keep(
        connections.connections(manifests, server, passwords, cloud, agencies),
        connections.variables(people(tuple(manifests)), _ensure_people(passwords), cloud),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
