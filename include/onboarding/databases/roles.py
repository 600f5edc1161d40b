"""Everybody whom the source's objects were granted to, on the target with the same privileges."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.grants import PUBLIC, grants, make_exactly
from onboarding.databases.sessions import Connection, session, statement

# A dependency of kind `a` is a mention in a list of privileges (PostgreSQL's manual, 52.50).
GRANTEES = """
SELECT DISTINCT r.rolname::text
FROM pg_shdepend d
JOIN pg_roles r ON r.oid = d.refobjid AND d.refclassid = 'pg_authid'::regclass
JOIN pg_database here ON here.datname = current_database()
WHERE d.deptype = 'a' AND r.rolname !~ '^pg_'
  AND (d.dbid = here.oid OR d.classid = 'pg_database'::regclass AND d.objid = here.oid)
ORDER BY 1
"""


def ensure_roles(source: Database, target: Database) -> list[str]:
    """The roles that anything of the source is granted to; those the target lacks are made, without a login.

    Their passwords stay where they are: somebody with the right to it gives each its login.
    """
    with session(source) as reading:
        wanted = [name for (name,) in reading.execute(GRANTEES)]
    with session(target) as connection:
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in wanted:
            if role not in there:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    return wanted


def bring_grants(source: Database, target: Database, roles: Sequence[str]) -> None:
    """The privileges of these roles, and PUBLIC's, are on the target what they are on the source. Safe to call again.

    The target's own login keeps what it has: all of it is its own.
    """
    with session(source) as reading, session(target) as writing:
        for role in (*(role for role in roles if role != target.user), PUBLIC):
            make_exactly(writing, role, grants(reading, role))


def bring_default_privileges(source: Database, target: Database) -> None:
    """What objects made later will be granted by themselves, as on the source. Safe to call again.

    What the source's owner makes there, the target's login makes here. Those of another role are left, and named by
    the comparison, unless the login may act as that role.
    """
    with session(source) as reading, session(target) as writing:
        for maker, is_owner, schema, kind, verb, grantee, privilege, grantable in reading.execute(
            statement("default_privileges")
        ):
            role = target.user if is_owner else maker
            if grantee == role or not _may_act_as(writing, role):
                continue
            option = " WITH GRANT OPTION" if grantable else ""
            writing.execute(
                sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} {} {} ON {} {} {}" + option).format(
                    sql.Identifier(role),
                    sql.SQL(" IN SCHEMA {}").format(sql.Identifier(schema)) if schema else sql.SQL(""),
                    sql.SQL(verb), sql.SQL(privilege), sql.SQL(kind), sql.SQL("TO" if verb == "GRANT" else "FROM"),
                    sql.SQL(PUBLIC) if grantee == PUBLIC else sql.Identifier(grantee),
                )
            )  # fmt: skip


def _may_act_as(connection: Connection, role: str) -> bool:
    row = connection.execute(
        "SELECT coalesce((SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles WHERE rolname = %s), false)",
        [role],
    ).fetchone()
    return row == (True,)
