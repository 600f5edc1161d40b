"""An agency's database, made from SQL that a DBA can read, the same for the same seed and scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import geothai
import psycopg
from psycopg import sql

from sandbox.agencies.profiles import Profile
from sandbox.postgres import Cluster
from sandbox.witness.client import TABLES

SQL = Path(__file__).parent / "sql"
WITNESS = "witness"
"""The schema of the witness's tables."""

# What an agency's server is set to. Logical decoding is on, so that `follow` and change capture are possible.
SETTINGS = {
    "autovacuum": "on", "fsync": "on", "full_page_writes": "on",
    "max_replication_slots": "10", "max_wal_senders": "10", "wal_level": "logical",
}  # fmt: skip
# While its rows are made. Whatever a crash destroys then is made anew, so nothing is logged or forced to disk:
# under wal_level=minimal a table made in the same transaction is not logged at all (PostgreSQL, 14.4.7).
WHILE_MAKING = SETTINGS | {
    "autovacuum": "off", "fsync": "off", "full_page_writes": "off", "max_wal_senders": "0", "wal_level": "minimal",
}  # fmt: skip


@dataclass(frozen=True)
class Login:
    """A role of the agency's server."""

    user: str
    password: str = field(repr=False)


def make(cluster: Cluster, profile: Profile, owner: Login, service: Login, *, seed: int, scale: float) -> None:
    """The agency's database with all its rows on a server that runs and is empty."""
    with cluster.connect() as connection:
        _make_roles(connection, owner, service)
        if profile.in_use:
            _let_follow(connection, owner)
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(profile.database), sql.Identifier(owner.user))
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(profile.database)))
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                sql.Identifier(profile.database), sql.Identifier(service.user)
            )
        )
    with cluster.connect(profile.database) as connection:
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(owner.user)))
    _fill(cluster, profile, owner, seed=seed, scale=scale)


def _make_roles(connection: psycopg.Connection[tuple[object, ...]], owner: Login, service: Login) -> None:
    for login in (owner, service):
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                sql.Identifier(login.user), sql.Literal(login.password)
            )
        )
    # What an agency's DBA hands over for a move: to see all sessions and end the program's, nothing more.
    connection.execute(sql.SQL("GRANT pg_monitor, pg_signal_backend TO {}").format(sql.Identifier(owner.user)))


def _let_follow(connection: psycopg.Connection[tuple[object, ...]], owner: Login) -> None:
    """What a DBA hands over besides for the engine `follow`: to make slots here, and to subscribe for the way back."""
    who = sql.Identifier(owner.user)
    connection.execute(sql.SQL("ALTER ROLE {} REPLICATION").format(who))
    connection.execute(sql.SQL("GRANT pg_create_subscription TO {}").format(who))


def _fill(cluster: Cluster, profile: Profile, owner: Login, *, seed: int, scale: float) -> None:
    with psycopg.connect(
        host=cluster.host, port=cluster.port, dbname=profile.database, user=owner.user, password=owner.password,
        options="-c timezone=UTC -c synchronous_commit=off", connect_timeout=10,
    ) as connection:  # fmt: skip
        _run(connection, SQL / "session.sql", seed=seed, scale=scale)
        _copy_reference(connection)
        # Two transactions: rows with the tables that they go into (see WHILE_MAKING), and then the rest, because
        # indexes cannot be built while deferred checks of new rows are outstanding.
        for steps in (("schema", "rows"), ("finish",)):
            for step in steps:
                _run(connection, SQL / profile.database / f"{step}.sql", seed=seed, scale=scale)
            connection.commit()
        if profile.in_use:
            _make_room_for_witness(connection, profile)
    with cluster.connect(profile.database) as connection:
        connection.execute("SET default_statistics_target = 10")  # a sample of 3,000 rows a table
        connection.execute("VACUUM (ANALYZE)")


def _make_room_for_witness(connection: psycopg.Connection[tuple[object, ...]], profile: Profile) -> None:
    """Tables of the witness's own, beside the service's: nothing that it does changes what the generator made."""
    connection.execute(sql.SQL("CREATE SCHEMA {0}; SET search_path = {0}").format(sql.Identifier(WITNESS)))
    connection.execute(TABLES)
    for words in ("USAGE ON SCHEMA", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA",
                  "USAGE ON ALL SEQUENCES IN SCHEMA"):  # fmt: skip
        connection.execute(
            sql.SQL("GRANT {} {} TO {}").format(
                sql.SQL(words), sql.Identifier(WITNESS), sql.Identifier(profile.service)
            )
        )
    connection.commit()


def _run(connection: psycopg.Connection[tuple[object, ...]], script: Path, *, seed: int, scale: float) -> None:
    text = script.read_text(encoding="utf-8").replace("@seed@", str(int(seed))).replace("@scale@", str(float(scale)))
    connection.execute(text.encode())


def _copy_reference(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for name, rows in _reference().items():
        target = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("pg_temp", name))
        with connection.cursor().copy(target) as copy:
            for row in rows:
                copy.write_row(row)
    connection.commit()


@cache
def _reference() -> dict[str, list[Sequence[object]]]:
    districts = [d for p in geothai.provinces() for d in geothai.districts(p.code)]
    return {
        "real_province": [(p.code, p.name_th, p.name_en) for p in geothai.provinces()],
        "real_district": [(d.code, d.name_th, d.name_en, d.province_code) for d in districts],
        "real_subdistrict": [
            (s.code, s.name_th, s.name_en, s.district_code, list(s.postal_codes))
            for d in districts
            for s in geothai.subdistricts(d.code)
        ],
    }
