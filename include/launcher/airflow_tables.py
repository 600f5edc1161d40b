"""What Airflow keeps in its own database, written there directly: tables, roles and logins, connections, variables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from launcher.people import Permission, Person


def migrate() -> None:
    """Airflow's tables, of the installed release; nothing changes when they are there."""
    from airflow.utils import db
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    providers_configuration_loaded(db.initdb)()


def ensure_people(
    persons: Sequence[Person], wanted: Mapping[str, Sequence[Permission]], passwords: Mapping[str, str]
) -> dict[str, int]:
    """The roles, just as `wanted` says, and the logins; login -> FAB user id.

    A login that exists keeps its password.
    """
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


def keep(connections: Iterable[Mapping[str, Any]], variables: Mapping[str, object]) -> None:
    """Writes connections (as keyword arguments of Airflow's model) and variables (as JSON) over what was there."""
    # The metadata models, not airflow.sdk's: this process writes them.
    from airflow.models.connection import Connection
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        for values in connections:
            session.execute(delete(Connection).where(Connection.conn_id == values["conn_id"]))
            session.add(Connection(**values))
        for key, value in variables.items():
            Variable.set(key, json.dumps(value, ensure_ascii=False), session=session)


def is_kept(variable: str) -> bool:
    """Whether there is such a variable already."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalar(select(Variable.key).where(Variable.key == variable)) is not None
