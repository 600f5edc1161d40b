"""Privileges of a service, as GRANT says them."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from onboarding.databases.sessions import Connection, statement

PUBLIC = "PUBLIC"


@dataclass(frozen=True, order=True)
class Grant:
    """One privilege on one object; `object` is quoted SQL (`TABLE public.x`), `column` is empty for the whole."""

    object: str
    column: str
    privilege: str
    grantee: str
    grantable: bool
    writes: bool

    def given(self, connection: Connection) -> sql.Composed:
        """The statement that gives it."""
        option = " WITH GRANT OPTION" if self.grantable else ""
        return self._said(connection, "GRANT {} ON {} TO {}" + option)

    def taken(self, connection: Connection) -> sql.Composed:
        """The statement that takes it back."""
        return self._said(connection, "REVOKE {} ON {} FROM {}")

    def _said(self, connection: Connection, words: str) -> sql.Composed:
        what: sql.Composable = sql.SQL(self.privilege)
        if self.column:
            what = sql.SQL("{} ({})").format(what, sql.Identifier(self.column))
        # its name may differ on the other side, so a database is always "this one"
        here = sql.SQL("DATABASE {}").format(sql.Identifier(connection.info.dbname))
        on = here if self.object == "DATABASE" else sql.SQL(self.object)
        who = sql.SQL(PUBLIC) if self.grantee == PUBLIC else sql.Identifier(self.grantee)
        return sql.SQL(words).format(what, on, who)


def grants(connection: Connection, role: str) -> set[Grant]:
    """What the role and PUBLIC were given on the agency's own objects. A role called `PUBLIC` cannot exist."""
    return {Grant(*row) for row in connection.execute(statement("grants"), {"role": role})}


def make_exactly(connection: Connection, role: str, wanted: set[Grant]) -> None:
    """What the role and PUBLIC have here becomes exactly `wanted`. Taking comes first: it takes columns along."""
    for grant in sorted(grants(connection, role) - wanted):
        connection.execute(grant.taken(connection))
    for grant in sorted(wanted - grants(connection, role)):
        connection.execute(grant.given(connection))
