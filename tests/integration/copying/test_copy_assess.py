"""What stands in the way is found before the night of the move, by the login that will make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from onboarding.addresses import Database
from onboarding.databases.assess import TargetOffers, assess, offers
from onboarding.readiness import Finding

from .conftest import Source

MakeSource = Callable[[str], Source]
CLEAN = "CREATE TABLE doc (id int PRIMARY KEY, title text)"


@pytest.fixture(scope="module")
def target(instance: Database) -> TargetOffers:
    return offers(instance)


def found(source: Source, target: TargetOffers, role: str = "") -> list[Finding]:
    findings = assess(source.owner, role or source.service.user, target=target)
    for finding in findings:  # every finding has its words and its remedy, in both languages
        assert "{" not in finding.what("th") + finding.remedy("th") + finding.what("en") + finding.remedy("en")
    return findings


def test_nothing_is_found_where_nothing_is(make_source: MakeSource, target: TargetOffers) -> None:
    assert found(make_source(CLEAN), target) == []


def test_the_nasty_database(nasty: Source, target: TargetOffers) -> None:
    findings = found(nasty, target)
    ids = {finding.id for finding in findings}
    assert [finding for finding in findings if finding.severity == "critical"] == []
    assert {"table_without_key", "numeric_without_precision", "large_objects", "unlogged_table",
            "identifier_at_limit"} <= ids  # fmt: skip
    assert Finding("table_without_key", "warning", "public.keyless", {"rows": 0}) in findings
    assert any(f.where == "public.kinds.loose" for f in findings if f.id == "numeric_without_precision")
    assert next(f for f in findings if f.id == "large_objects").values == {"count": 4}
    lacking = replace(target, extensions=target.extensions - {"hstore"}, major=17)
    worse = [(f.id, f.where) for f in found(nasty, lacking) if f.severity == "critical"]
    assert worse == [("extension_missing", "hstore"), ("target_too_old", nasty.owner.name)]


@pytest.mark.parametrize(
    ("as_admin", "finding", "where"),
    [
        ("ALTER TABLE doc OWNER TO postgres", "table_unreadable", "public.doc"),
        ("ALTER TABLE doc OWNER TO postgres; GRANT SELECT ON doc TO {owner}", "not_owner", "public.doc"),
        ("ALTER TABLE doc ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", "rows_hidden_by_policy", "public.doc"),
        ("SELECT lo_create(4711)", "large_object_unreadable", "large object 4711"),
        ("SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO {app}", "service_role_owns", "{app}"),
        ("ALTER TABLE doc OWNER TO {app}; GRANT {app} TO {owner}", "service_role_owns", "{app}"),
        ("ALTER ROLE {app} SUPERUSER", "service_role_superuser", "{app}"),
        ("GRANT pg_write_all_data TO {app}", "service_role_writes_all", "{app}"),
        ("CREATE ROLE {app}_g; GRANT UPDATE ON doc TO {app}_g; GRANT {app}_g TO {app}", "service_role_member", "{app}"),
        ("CREATE ROLE {app}_o; GRANT DELETE ON doc TO {app}_o", "other_writer", "{app}_o"),
        ("CREATE ROLE {app}_r; GRANT SELECT ON doc TO {app}_r", "other_reader", "{app}_r"),
        ("CREATE FUNCTION t() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
         "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION t()", "event_trigger", "watch"),
        ("CREATE FUNCTION c() RETURNS int LANGUAGE internal AS 'pg_backend_pid'", "function_in_c", "public.c()"),
        ("ALTER ROLE {owner} CONNECTION LIMIT 3", "few_connections", "{owner}"),
        ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
         "CREATE FOREIGN TABLE far (a int) SERVER s; ALTER TABLE far OWNER TO {owner}", "rows_elsewhere", "public.far"),
        ("CREATE PUBLICATION news", "publication", "news"),
        ("REVOKE CREATE ON DATABASE {name} FROM {owner}", "cannot_keep_notes", "{name}"),
    ],
)  # fmt: skip
def test_each_is_found(make_source: MakeSource, target: TargetOffers, as_admin: str, finding: str, where: str) -> None:
    source = make_source(CLEAN)
    names = {"app": source.service.user, "owner": source.owner.user, "name": source.owner.name}
    with source.superuser() as admin:
        for statement in as_admin.format(**names).split(";"):
            admin.execute(statement)
    assert (finding, where.format(**names)) in {(one.id, one.where) for one in found(source, target)}


def test_a_service_that_is_not_there(make_source: MakeSource, target: TargetOffers) -> None:
    assert [f.id for f in found(make_source(CLEAN), target, "ghost") if f.severity == "critical"] == [
        "other_writer",
        "service_role_absent",
    ]


def test_another_encoding_is_refused(make_source: MakeSource, target: TargetOffers) -> None:
    source = make_source(CLEAN)
    with source.superuser() as admin:
        for encoding, name in (("WIN874", "old"), ("SQL_ASCII", "ascii")):
            admin.execute(
                f"CREATE DATABASE {source.owner.name}_{name} OWNER {source.owner.user} TEMPLATE template0"
                f" ENCODING {encoding} LOCALE_PROVIDER libc LOCALE 'C'"
            )
    for name in ("old", "ascii"):
        other = replace(source, owner=replace(source.owner, name=f"{source.owner.name}_{name}"))
        assert [f.id for f in found(other, target)] == ["encoding_not_utf8"]
