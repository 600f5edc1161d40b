"""What cannot be followed is named before anything is made; each finding says what to do, in both languages."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import MakeDatabase
from following_servers import Pair, Servers, run
from psycopg import sql

from onboarding.databases.follow.readiness import assess_server, assess_tables, assess_way, ensure_identity
from onboarding.readiness import Finding

HARD = """
CREATE TABLE keyed (id int PRIMARY KEY);
CREATE TABLE keyless (a int, b varchar(9), c text[]);
CREATE TABLE late_key (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE json_only (doc json);
CREATE TABLE by_index (id int NOT NULL, x point);
CREATE UNIQUE INDEX by_index_id ON by_index (id);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_id;
CREATE TABLE nothing (id int PRIMARY KEY);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts (PRIMARY KEY (id)) FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE TABLE good (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE good_1 PARTITION OF good FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE odd_2 PARTITION OF good FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE UNIQUE INDEX odd_2_id ON odd_2 (id, day);
ALTER TABLE odd_2 REPLICA IDENTITY USING INDEX odd_2_id;
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY);
CREATE MATERIALIZED VIEW sums AS SELECT 1 AS one;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER always BEFORE INSERT ON keyed FOR EACH ROW EXECUTE FUNCTION noted();
ALTER TABLE keyed ENABLE ALWAYS TRIGGER always;
CREATE TABLE guarded (id int PRIMARY KEY);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT lo_from_bytea(0, 'x');
"""


def named(findings: list[Finding], severity: str = "critical") -> set[tuple[str, str]]:
    for finding in findings:
        for language in ("th", "en"):
            assert finding.what(language) and finding.remedy(language)
    return {(f.id.removeprefix("follow_"), f.where) for f in findings if f.severity == severity}


def test_tables_that_cannot_be_followed_are_named(make: Callable[[str], Pair]) -> None:
    pair = make(HARD)
    always = {
        ("unlogged", "public.scratch"), ("large_objects", pair.source.name), ("trigger_always", "public.keyed"),
        ("policy_forced", "public.guarded"),
    }  # fmt: skip
    keyless = {
        f"public.{name}" for name in ("keyless", "late_key", "json_only", "nothing", "parts", "parts_1", "odd_2")
    }
    findings = assess_tables(pair.source)
    assert named(findings) == always | {("no_identity", where) for where in keyless}
    assert named(findings, "warning") == {("materialized_view", "public.sums")}
    told_in_full = assess_tables(pair.source, full_allowed=True)
    assert named(told_in_full) == always | {("not_comparable", "public.json_only")}
    assert {where for kind, where in named(told_in_full, "warning") if kind == "identity_full"} == keyless - {
        "public.parts"
    }

    assert set(ensure_identity(pair.source)) == keyless and ensure_identity(pair.source) == []
    assert named(assess_tables(pair.source)) == always | {("not_comparable", "public.json_only")}


def test_both_servers_and_both_ways_are_ready(make: Callable[[str], Pair]) -> None:
    pair = make("CREATE TABLE keyed (id int PRIMARY KEY)")
    with pair.admin.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(pair.target.name)))
    assert named(assess_tables(pair.source)) == set()
    for feed in (pair.forward, pair.back):
        assert named(assess_server(feed.publisher)) == named(assess_server(feed.subscriber)) == set()
        assert assess_way(feed) == []
        assert run(feed.publisher, "SELECT 1 FROM pg_publication") == []
        assert run(feed.subscriber, "SELECT 1 FROM pg_subscription WHERE subname ~ '^namrong_svc'") == []


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"port": 1}, {"name": "nowhere"}])
def test_a_way_that_is_closed_is_named_without_the_password(
    make: Callable[[str], Pair], wrong: dict[str, object]
) -> None:
    pair = make("CREATE TABLE keyed (id int PRIMARY KEY)")
    with pair.admin.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(pair.target.name)))
    found = assess_way(replace(pair.forward, reached=replace(pair.source, **wrong)))
    assert named(found) == {("cannot_connect", str(replace(pair.source, **wrong)))}
    assert pair.source.password not in repr(found) and found[0].values["reason"]
    assert assess_way(replace(pair.forward, reached=pair.service))[0].id == "follow_cannot_connect"  # may not replicate


def test_a_server_and_a_login_that_lack_everything_are_told_so(make_database: MakeDatabase) -> None:
    """The session's other cluster: wal_level is as installed, its owner may neither replicate nor subscribe."""
    owner = make_database("unready")
    assert named(assess_server(owner)) == {
        (kind, owner.name) for kind in ("wal_level", "may_not_replicate", "may_not_subscribe")
    }


def test_the_password_stands_in_no_servers_log(make: Callable[[str], Pair], servers: Servers) -> None:
    """Both log every DDL and every statement that fails."""
    pair = make("CREATE TABLE keyed (id int PRIMARY KEY)")
    canary, login = f"canary-{secrets.token_hex(8)}", f"replica_{secrets.token_hex(4)}"
    with servers.agency.connect() as connection:
        connection.execute("SET log_statement = none")
        connection.execute(f"CREATE ROLE {login} LOGIN REPLICATION PASSWORD '{canary}'".encode())
    with pair.admin.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(pair.target.name)))
    reached = pair.source.as_user(login, canary)
    assert assess_way(replace(pair.forward, reached=reached)) == []
    assert assess_way(replace(pair.forward, reached=replace(reached, port=1))) != []
    run(pair.target, "CREATE TABLE logged (id int)")
    logs = servers.instance.log.read_text() + servers.agency.log.read_text()
    assert "CREATE TABLE logged" in logs and canary not in logs
