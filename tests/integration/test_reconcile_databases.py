"""What two real servers say of the same rows: types, session settings, encodings, row security, a dump restored."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import free_port
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import TryAgain
from onboarding.reconcile.canonical import Encoding
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.relations import relations
from onboarding.reconcile.report import Comparison
from onboarding.reconcile.sides import agreed_encoding, reading
from onboarding.reconcile.tables import Comparing, SetAside, compare_tables
from sandbox.agencies import database as agency
from sandbox.agencies.profiles import PROFILES, Profile
from sandbox.postgres import Cluster, bin_dir

MakeDatabase = Callable[..., Database]


def run(database: Database, *statements: str) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute("SET client_encoding = UTF8")
        for statement in statements:
            connection.execute(statement.encode())


def differing(comparison: Comparison) -> set[str]:
    return {table.table for table in comparison.tables if not table.equal}


# type, what the source holds, what the target holds, are they the same row
PAIRS = [
    ("text", "NULL", "''", False),
    ("text", "'a'", "'a '", False),
    ("text", "'a'", "'A'", False),
    ("text", "'น้ำ'", "'นํ้า'", False),
    ("text", "'กี่'", "'ก่ี'", False),  # vowel and tone mark the other way round: they look alike
    ("text", "'เเม่'", "'แม่'", False),  # two SARA E for one SARA AE
    ("text", "'ก'", "'ก\u200b'", False),  # a zero-width space
    ("text", r"E'a\n'", r"E'a\r\n'", False),
    ("text", "'a'", "E'a\\t'", False),
    ("varchar(9)", "'ab'", "'ab '", False),
    ("varchar(9)", "'ab'", "'AB'", False),
    ("char(9)", "''", "NULL", False),
    ("char(9)", "' ab'", "'ab'", False),
    ("bytea", "''", "NULL", False),
    ("bytea", r"'\x00'", r"'\x0000'", False),
    ("text", r"U&'caf\00e9'", r"U&'cafe\0301'", False),
    ("varchar(9)", "'ab'", "'ab'", True),
    ("char(9)", "'ab'", "'ab  '", True),
    ("char(9)[]", "'{ab}'", "'{abc}'", False),
    ("numeric", "1.0", "1.00", False),
    ("numeric", "'NaN'", "'NaN'", True),
    ("numeric", "'NaN'", "NULL", False),
    ("numeric", "'Infinity'", "'Infinity'", True),
    ("numeric", "-0.0", "0.0", True),  # a numeric has no negative zero
    ("numeric", "0.00", "0", False),
    ("numeric", "1e2", "100", True),
    ("numeric(9,2)", "1.5", "1.50", True),  # a declared scale gives both the same
    ("numeric", "'Infinity'", "'-Infinity'", False),
    ("float8", "0.1", "0.1", True),
    ("float8", "0.1", "0.10000000000000002", False),
    ("float8", "0", "'-0'", False),
    ("float8", "'NaN'", "'NaN'", True),
    ("float8", "'Infinity'", "'NaN'", False),
    ("float8", "'Infinity'", "'-Infinity'", False),
    ("float8", "1e-320", "0", False),  # smaller than any normal number
    ("float8[]", "'{0,NaN}'", "'{-0,NaN}'", False),
    ("float4", "1.1", "1.1000001", False),
    ("float4", "0", "'-0'", False),
    ("float4", "'NaN'", "'NaN'", True),
    ("float4", "'-Infinity'", "'-Infinity'", True),
    ("timestamptz", "'2026-11-22 07:00+07'", "'2026-11-22 00:00+00'", True),
    ("timestamptz", "'2026-11-22 07:00+07'", "'2026-11-22 07:00:00.000001+07'", False),
    ("timestamptz", "'infinity'", "'infinity'", True),
    ("timestamptz", "'infinity'", "'-infinity'", False),
    ("timestamptz", "'2026-11-22 07:00+07'", "'2026-11-22 07:00+00'", False),
    ("timestamptz", "'0044-03-15 00:00+00 BC'", "'0044-03-15 00:00+00'", False),
    ("timestamp", "'2026-11-22 07:00'", "'2026-11-22 07:00+07'", True),  # the zone of a literal is not kept
    ("timestamp", "'infinity'", "'-infinity'", False),
    ("timetz", "'07:00+07'", "'00:00+00'", False),  # the same instant of a day, and yet another zone
    ("timestamp", "'2026-11-22 07:00'", "'2026-11-22 00:00'", False),
    ("date", "'0044-03-15 BC'", "'0044-03-15'", False),
    ("interval", "'24 hours'", "'1 day'", False),
    ("interval", "'1 mon'", "'30 days'", False),
    ("interval", "'1 year'", "'12 mons'", True),  # kept as months
    ("interval", "'infinity'", "'-infinity'", False),
    ("interval", "'0'", "NULL", False),
    ("interval", "'-1 day +2 hours'", "'-1 day +2 hours'", True),
    ("json", """'{"a":1,"b":2}'""", """'{"b":2,"a":1}'""", False),
    ("jsonb", """'{"a":1, "b":2}'""", """'{"b":2,"a":1}'""", True),
    ("jsonb", "'1.0'", "'1.00'", False),
    ("jsonb", "'null'", "NULL", False),
    ("jsonb", """'{"a":1,"a":2}'""", """'{"a":2}'""", True),  # the last of two keys is kept
    ("json", """'{"a":1,"a":2}'""", """'{"a":2}'""", False),
    ("json", """'{"a": 1}'""", """'{"a":1}'""", False),
    ("bytea", r"'\x00ff'", r"'\x00fe'", False),
    ("uuid", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "'6BA7B810-9DAD-11D1-80B4-00C04FD430C8'", True),
    ("text[]", "'{NULL}'", """'{"NULL"}'""", False),
    ("text[]", "'{a,b}'", """'{"a,b"}'""", False),
    ("int[]", "'{1,2}'", "'[0:1]={1,2}'", False),
    ("int[]", "'{}'", "NULL", False),
    ("int[]", "'{{1,2},{3,4}}'", "'{{1,3},{2,4}}'", False),
    ("int[]", "'{1,2}'", "'{2,1}'", False),
    ("int4range", "'[1,3)'", "'[1,2]'", True),
    ("numrange", "'[1,3)'", "'[1,3]'", False),
    ("mood", "'ดี'", "'แย่'", False),
    ("pair", "ROW(NULL, NULL)", "NULL", False),
    ("pair", "ROW('', NULL)", "ROW(NULL, NULL)", False),
    ("bit(3)", "B'101'", "B'100'", False),
    ("inet", "'10.0.0.1'", "'10.0.0.1/24'", False),
    ("money", "'12.34'", "'12.35'", False),
    ("\"char\"", "'a'", "'b'", False),
    ("name", "'a'", "'b'", False),
    ("tsvector", "'ก ข'", "'ข ก'", True),
]  # fmt: skip
TYPES = "CREATE TYPE mood AS ENUM ('ดี', 'แย่'); CREATE TYPE pair AS (a text, b text)"


@pytest.fixture(scope="module")
def by_type(make_database: MakeDatabase) -> Comparison:
    source, target = make_database("types_s", superuser=True), make_database("types_t", superuser=True)
    # the target's own defaults print everything otherwise; the verifier must not care
    run(target, *(f"ALTER DATABASE {target.name} SET {setting}" for setting in (
        "timezone = 'Asia/Bangkok'", "datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'",
        "extra_float_digits = 0", "bytea_output = 'escape'", "quote_all_identifiers = on")))  # fmt: skip
    # and its enum's labels have other numbers
    run(target, "CREATE TYPE other AS ENUM ('x')")
    for database, side in ((source, 1), (target, 2)):
        run(database, TYPES, *(
            f"CREATE TABLE t{place} (k int PRIMARY KEY, v {pair[0]}); INSERT INTO t{place} VALUES (1, {pair[side]})"
            for place, pair in enumerate(PAIRS)))  # fmt: skip
    return compare_databases(source, target)


@pytest.mark.parametrize(("place", "pair"), list(enumerate(PAIRS)))
def test_each_type_has_its_rule(by_type: Comparison, place: int, pair: tuple[str, str, str, bool]) -> None:
    compared = {table.table: table for table in by_type.tables}[f"public.t{place}"]
    assert compared.equal is pair[3], pair
    assert compared.differences.changed == (not pair[3])


# one text form, two declared types: the rows are alike, and the column is named
RETYPED = [
    ("timestamp", "timestamp(3)", "'2026-11-22 07:00:00'"), ("json", "jsonb", """'{"a": 1}'"""),
    ("int", "bigint", "7"), ("text", "varchar(9)", "'ab'"), ("text", "bytea", r"'\x00ff'"),
    ("float8", "numeric", "0.5"), ("numeric(9,2)", "numeric", "1.50"), ("date", "text", "'2026-11-22'"),
    ("int[]", "text", "'{1,2}'"),
]  # fmt: skip


def test_two_types_with_one_text_form_are_told_apart_by_the_column(make_database: MakeDatabase) -> None:
    source, target = make_database("retyped_s"), make_database("retyped_t")
    for database, side in ((source, 0), (target, 1)):
        run(database, *(
            f"CREATE TABLE t{place} (k int PRIMARY KEY, v {pair[side]}); INSERT INTO t{place} VALUES (1, {pair[2]})"
            for place, pair in enumerate(RETYPED)))  # fmt: skip
    found = compare_databases(source, target)
    assert found.unaccounted_rows == 0
    retyped = {one.name for one in found.objects.differences if one.kind == "columns" and "type" in one.attributes}
    assert retyped == {f"public.t{place}.v" for place in range(len(RETYPED))}
    assert not found.equal


def test_a_timestamp_is_no_instant_even_if_it_reads_alike(make_database: MakeDatabase) -> None:
    source, target = make_database("instant_s"), make_database("instant_t")
    run(source, "CREATE TABLE t (k int PRIMARY KEY, v timestamp); INSERT INTO t VALUES (1, '2026-11-22 00:00')")
    run(target, "CREATE TABLE t (k int PRIMARY KEY, v timestamptz); INSERT INTO t VALUES (1, '2026-11-22 00:00+00')")
    found = compare_databases(source, target)
    assert [row.columns for row in found.tables[0].differences.named] == [("v",)]
    assert [(one.name, one.attributes) for one in found.objects.differences] == [("public.t.v", ("type",))]


def test_another_default_of_the_database_is_told_apart_from_its_rows(by_type: Comparison) -> None:
    found = {one.name for one in by_type.objects.differences if one.kind == "settings"}
    assert "TimeZone for everybody" in found


def test_fields_do_not_run_into_each_other(make_database: MakeDatabase) -> None:
    source, target = make_database("fields_s"), make_database("fields_t")
    run(source, "CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('ab', 'c'), (NULL, 'd'), (NULL, '')")
    run(target, "CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('a', 'bc'), ('d', NULL), ('', NULL)")
    found = compare_databases(source, target).tables[0].differences
    assert (found.missing, found.extra) == (3, 3)


def test_columns_in_another_order_hold_the_same_rows_but_the_table_differs(make_database: MakeDatabase) -> None:
    source, target = make_database("order_s"), make_database("order_t")
    run(source, "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x')")
    run(target, "CREATE TABLE t (b text, a int); INSERT INTO t VALUES ('x', 1)")
    comparison = compare_databases(source, target)
    assert comparison.unaccounted_rows == 0
    assert [one.attributes for one in comparison.objects.differences] == [("place",), ("place",)]


def test_names_are_quoted_whatever_they_hold(make_database: MakeDatabase) -> None:
    source, target = make_database("names_s"), make_database("names_t")
    for database in (source, target):
        run(
            database,
            """CREATE SCHEMA "S; --%s {0}" """,
            """CREATE TABLE "S; --%s {0}"."T ""%(x)s"" 'q' {}"
                   ("k %s" int PRIMARY KEY, "v ""{}"" 100%" text, "select" int)""",
            """INSERT INTO "S; --%s {0}"."T ""%(x)s"" 'q' {}"
               SELECT g, g || '%s {}', g FROM generate_series(1, 99) g""",
            """CREATE SEQUENCE "S; --%s {0}"."seq %s {}" """,
        )
    assert compare_databases(source, target).equal
    run(target, """DELETE FROM "S; --%s {0}"."T ""%(x)s"" 'q' {}" WHERE "k %s" = 7""")
    (row,) = compare_databases(source, target).tables[0].differences.named
    assert (row.kind, row.key) == ("missing", ("7",))


def test_a_lost_column_a_lost_table_and_more_than_a_hundred_columns(make_database: MakeDatabase) -> None:
    source, target = make_database("lost_s"), make_database("lost_t")
    wide = ", ".join(f"c{n} int DEFAULT {n}" for n in range(150))
    for database in (source, target):
        run(
            database,
            f"CREATE TABLE wide ({wide}); INSERT INTO wide DEFAULT VALUES",
            "CREATE TABLE none (); INSERT INTO none DEFAULT VALUES",
            "CREATE TABLE short (a int, b int); INSERT INTO short VALUES (1, 2)",
        )
    run(source, "CREATE TABLE gone AS SELECT generate_series(1, 7)")
    run(target, "ALTER TABLE short DROP COLUMN b", "UPDATE wide SET c149 = NULL")
    comparison = compare_databases(source, target)
    counts = {table.table: table.unaccounted for table in comparison.tables}
    assert counts == {"public.wide": 2, "public.none": 0, "public.short": 1, "public.gone": 7}


def test_forced_row_security_makes_a_table_unknown_and_never_equal(make_database: MakeDatabase) -> None:
    source, target = make_database("rls_s"), make_database("rls_t")
    for database in (source, target):
        run(database, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); CREATE POLICY p ON t USING (a > 1)",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY")  # fmt: skip
    assert not compare_databases(source, target).unknown  # the owner sees all while it is not forced
    run(target, "ALTER TABLE t FORCE ROW LEVEL SECURITY")
    comparison = compare_databases(source, target)
    assert comparison.unknown == ("public.t: InsufficientPrivilege 42501",)
    assert not comparison.equal


def test_rows_set_aside_balance_the_books(make_database: MakeDatabase) -> None:
    source, target = make_database("aside_s"), make_database("aside_t")
    for database in (source, target):
        run(database, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)")
    run(target, "DELETE FROM t WHERE a < 3")
    assert compare_databases(source, target).unaccounted_rows == 2
    aside = {"public.t": [SetAside(1, "quarantined", "no such district"), SetAside(1, "excluded", "rule 7")]}
    assert compare_databases(source, target, set_aside=aside).unaccounted_rows == 0


def test_databases_stored_in_different_encodings_hold_the_same_text(
    make_database: MakeDatabase, pg_cluster: Cluster
) -> None:
    target = make_database("enc")
    name = f"{target.name}_win874"
    with pg_cluster.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} OWNER {} ENCODING 'WIN874' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
            ).format(sql.Identifier(name), sql.Identifier(target.user))
        )
    source = replace(target, name=name)
    for database in (source, target):
        run(database, "CREATE TABLE t (k text PRIMARY KEY, v text)", "INSERT INTO t VALUES ('ก', 'น้ำ'), ('ข', 'ไข่')")
    assert compare_databases(source, target).unaccounted_rows == 0
    run(target, "UPDATE t SET v = 'ไก่' WHERE k = 'ข'")
    (row,) = compare_databases(source, target).tables[0].differences.named
    assert (row.key, row.columns) == (("ข",), ("v",))


def test_servers_that_hash_otherwise_are_compared_by_sha256(make_database: MakeDatabase) -> None:
    source, target = make_database("sha_s"), make_database("sha_t")
    for database in (source, target):
        run(
            database,
            "CREATE TABLE t (k int PRIMARY KEY, v text)",
            "INSERT INTO t SELECT g, g FROM generate_series(1, 999) g",
        )
    run(target, "UPDATE t SET v = 'x' WHERE k = 500")
    with (
        reading(source, streams=1, statement_timeout_s=60) as ours,
        reading(target, streams=1, statement_timeout_s=60) as theirs,
        ThreadPoolExecutor(2) as pool,
    ):
        assert agreed_encoding(ours, theirs) == Encoding("fast", transcode=False)
        comparing = Comparing(ours, theirs, Encoding("portable"), pool, {}, 10)
        (table,) = compare_tables(comparing, relations(ours, ()), relations(theirs, ()))
    assert [row.key for row in table.differences.named] == [("500",)]


def test_both_sides_are_read_as_they_stood_when_reading_began(make_database: MakeDatabase) -> None:
    database = make_database("snapshot")
    run(database, "CREATE TABLE t AS SELECT generate_series(1, 9)")
    with reading(database, streams=2, statement_timeout_s=60) as side:
        run(database, "INSERT INTO t VALUES (10)")
        assert side.ask("SELECT count(*) FROM public.t") == side.ask("SELECT count(*) FROM public.t") == [(9,)]


def test_partitions_by_hash_are_one_table_because_an_enums_hash_is_a_servers_own(make_database: MakeDatabase) -> None:
    moods = "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'"
    whole = (
        "CREATE TABLE votes (mood mood, n int, PRIMARY KEY (mood, n)) PARTITION BY HASH (mood)",
        "CREATE TABLE votes_0 PARTITION OF votes FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY HASH (n)",
        "CREATE TABLE votes_0_0 PARTITION OF votes_0 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE TABLE votes_1 PARTITION OF votes FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO votes SELECT (enum_range(NULL::mood))[1 + n % 8], n FROM generate_series(1, 800) n",
    )
    source, target = make_database("hashed"), make_database("hashed")
    run(source, f"CREATE TYPE mood AS ENUM ({moods})", *whole)
    run(target, "CREATE TYPE between_them AS (a int)", f"CREATE TYPE mood AS ENUM ({moods})", *whole)
    run(target, "DROP TYPE between_them")
    apart = []
    for side in (source, target):
        with side.connect() as connection:
            apart.append(connection.execute("SELECT array_agg(mood || '') FROM votes_1").fetchone())
    assert apart[0] != apart[1]  # else this shows nothing: the rows do lie in other partitions
    found = compare_databases(source, target)
    assert [(table.table, table.source_rows) for table in found.tables] == [("public.votes", 800)]
    assert found.equal, found.as_json()
    run(target, "DELETE FROM votes WHERE n = 3", "UPDATE votes SET n = 9001 WHERE n = 4")
    (table,) = compare_databases(source, target).tables
    assert (table.differences.missing, table.differences.extra, table.key) == (2, 1, ("mood", "n"))


def test_a_server_that_is_not_there_is_worth_another_try(make_database: MakeDatabase) -> None:
    database = make_database("away")
    with pytest.raises(TryAgain):
        compare_databases(database, replace(database, port=1))


def test_writes_of_the_service_role_are_closed_until_release(make_database: MakeDatabase, pg_cluster: Cluster) -> None:
    source, target = make_database("closed_s"), make_database("closed_t")
    app = f"{source.name}_app"
    with pg_cluster.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(app)))
    for database in (source, target):
        run(database, "CREATE TABLE t (a int); CREATE SEQUENCE s")
    run(source, f"GRANT SELECT, INSERT, DELETE ON t TO {app}; GRANT USAGE, SELECT ON s TO {app}")
    run(target, f"GRANT SELECT ON t, s TO {app}")
    assert {one.name for one in compare_databases(source, target).objects.differences} == {
        f"table public.t to {app}", f"sequence public.s to {app}"}  # fmt: skip
    assert compare_databases(source, target, expect_writes_closed_for=app).equal
    run(target, f"GRANT INSERT ON t TO {app}")
    (left_open,) = compare_databases(source, target, expect_writes_closed_for=app).objects.differences
    assert (left_open.problem, left_open.name) == ("open", f"public.t to {app}")


def test_a_right_that_nobody_gets_by_default_any_more_is_no_detail(make_database: MakeDatabase) -> None:
    left, right = make_database("left"), make_database("right")
    run(left, "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC")
    assert [found.kind for found in compare_databases(left, right).objects.differences] == ["default_privileges"]
    run(right, "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC")
    assert compare_databases(left, right).equal


def test_a_stale_materialized_view_of_the_source_is_no_loss(make_database: MakeDatabase) -> None:
    source, target = make_database("stale_s"), make_database("stale_t")
    for database in (source, target):
        run(
            database,
            "CREATE TABLE t AS SELECT 1 AS a",
            "CREATE MATERIALIZED VIEW m AS SELECT a, count(*) AS n FROM t GROUP BY a",
            "INSERT INTO t VALUES (2)",
        )
    run(target, "REFRESH MATERIALIZED VIEW m")
    comparison = compare_databases(source, target)
    assert {t.table: t.note for t in comparison.tables if t.note} == {"public.m": "source_stale"}
    assert comparison.equal
    run(target, "INSERT INTO t VALUES (3)", "REFRESH MATERIALIZED VIEW m", "DELETE FROM t WHERE a = 3")
    assert differing(compare_databases(source, target)) == {"public.m"}


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of our own: the agencies' roles have fixed names."""
    cluster = Cluster(tmp_path_factory.mktemp("agencies") / "data", "127.0.0.1", free_port(), "boss", "pw")
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: str(profile.pilot))
def test_a_dump_of_an_agency_restored_is_equal(agencies: Cluster, profile: Profile, tmp_path: Path) -> None:
    owner, service = agency.Login(profile.owner, "x"), agency.Login(profile.service, "y")
    agency.make(agencies, profile, owner, service, seed=7, scale=0.05)
    boss = Database(agencies.host, agencies.port, "postgres", "boss", "pw", resolve=lambda host: host)
    source = replace(boss, name=profile.database).as_user(owner.user, "x")
    target = replace(boss, name=f"{profile.database}_rds")
    run(boss, f"CREATE DATABASE {target.name} TEMPLATE template0")
    environment = os.environ | {"PGHOST": boss.host, "PGPORT": str(boss.port), "PGUSER": "boss", "PGPASSWORD": "pw"}
    dump = tmp_path / "dump"
    subprocess.run([bin_dir() / "pg_dump", "-Fc", "-O", "-f", dump, source.name], env=environment, check=True)
    subprocess.run([bin_dir() / "pg_restore", "-O", "-d", target.name, dump], env=environment, check=True)

    comparison = compare_databases(source, target, sequences="exactly")

    assert comparison.unaccounted_rows == 0
    assert comparison.source_rows > 5_000
    # pg_dump of one database leaves ALTER DATABASE … SET behind: exactly that is found
    assert {one.kind for one in comparison.objects.differences} <= {"settings"}
    assert not (comparison.unknown or comparison.sequences.differences or comparison.large_objects.differences)
