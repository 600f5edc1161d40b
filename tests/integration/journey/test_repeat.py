"""Every step of p05 is taken twice in a row, and once more a day after it went live: nothing is there twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from whole_journey import steps

from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.ledger import Ledger
from onboarding.programme.report import shortfalls
from onboarding.stages import cutover, sides, validation
from onboarding.stages.pilot import Pilot

from .conftest import World, travel

TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname IN ('public', 'stats') ORDER BY 1
"""
PRICE = "INSERT INTO stats.daily_price (market, crop, day, at) VALUES ('ตลาดใหม่', 'rice', '2027-04-13', '08:00')"
"""The service's own work on the target, after it is live."""


def counts(database: Database) -> dict[str, int]:
    """Rows by table."""
    with database.connect() as connection:
        tables = [str(table) for (table,) in connection.execute(TABLES).fetchall()]
        return {table: len(connection.execute(f"SELECT 1 FROM ONLY {table}".encode()).fetchall()) for table in tables}


def there(pilot: Pilot) -> dict[str, Any]:
    """What AWS and the target say there is of this pilot."""
    organizations = pilot.management.client("organizations")
    s3, rds, route53, ec2 = (pilot.cloud.client(name) for name in ("s3", "rds", "route53", "ec2"))
    buckets = sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"])
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    accounts = organizations.get_paginator("list_accounts").paginate().build_full_result()["Accounts"]
    return {
        "accounts": sorted(one["Id"] for one in accounts if "p05" in one["Email"]),
        "units": sorted(one["Name"] for one in _units(organizations)),
        "instances": sorted(one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]),
        "backups": sorted(
            one["DBSnapshotIdentifier"]
            for one in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        ),
        "buckets": buckets,
        "files": {name: _versions(s3, name, "files/") for name in buckets},
        "weights": {one["SetIdentifier"]: one["Weight"] for one in records if one["Name"].startswith("catalogue.")},
        "networks": len(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]),
        "state": pilot.ledger.cutover_state("p05"),
        "rows": counts(sides.target(pilot, "catalogue")),
    }  # fmt: skip


def _units(organizations: Any) -> list[dict[str, Any]]:
    (root,) = organizations.list_roots()["Roots"]
    found: list[dict[str, Any]] = organizations.list_organizational_units_for_parent(ParentId=root["Id"])[
        "OrganizationalUnits"
    ]
    return found


def _versions(s3: Any, bucket: str, prefix: str) -> dict[str, list[str]]:
    """Every version of every object: a second copy would be a second one."""
    found: dict[str, list[str]] = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for version in page.get("Versions", []):
            found.setdefault(version["Key"], []).append(version["VersionId"])
    return found


def loads(ledger: Ledger) -> list[tuple[str, str]]:
    kinds = ("load_started", "load_finished", "load_restarted", "load_given_up", "restore_drill", "freeze", "release")
    return [(record.kind, record.subject) for record in ledger.records(pilot="p05", kind=kinds)]


def rows_moved(world: World) -> int:
    (told,) = world.report(["p05"], compared=False)["pilots"]
    return int(told["rows"])


def test_every_step_taken_twice_leaves_everything_once(world: World, repeated: Pilot) -> None:
    found = there(repeated)
    assert len(found["accounts"]) == 1
    assert found["instances"] == ["p05-catalogue"]
    assert found["backups"] == ["p05-catalogue-rehearsal-1"]
    assert found["networks"] == 1
    assert found["state"] is CutoverState.COMMITTED
    assert found["weights"] == {"source": 0, "target": 100}
    assert len(found["units"]) == len(set(found["units"]))
    (files,) = [versions for versions in found["files"].values() if versions]
    assert len(files) > 20 and {len(versions) for versions in files.values()} == {1}
    assert found["rows"] == counts(sides.source(repeated, "catalogue"))
    assert world.duplicates() == []


def test_each_load_happened_once(repeated: Pilot) -> None:
    told = loads(repeated.ledger)
    for kind in ("load_started", "load_finished"):
        assert [subject for one, subject in told if one == kind] == ["catalogue/rehearsal-1", "catalogue/final-1"]
    assert [kind for kind, _ in told if kind in ("restore_drill", "release")] == ["restore_drill", "release"]
    assert not [kind for kind, _ in told if kind in ("load_restarted", "load_given_up")]
    refusals = {r.body["refused_at"] for r in repeated.ledger.records(pilot="p05", kind="freeze")}
    assert len(refusals) == 1, "the first refusal is the one that counts"


def test_every_step_once_more_a_day_after_live(world: World, repeated: Pilot) -> None:
    before, loaded, moved = there(repeated), loads(repeated.ledger), rows_moved(world)
    intents = len(repeated.ledger.records(pilot="p05", kind="intent"))
    # The report has compared in the meantime, as `namrong report` does.
    assert set(validation.compare(repeated, "report").values()) == {0}
    a_day = timedelta(days=1)
    ledger = Ledger(world.writer, clock=lambda: datetime.now(UTC) + a_day)
    try:
        travel(replace(world.pilot("p05", "r2"), ledger=ledger, clock=lambda: datetime.now(UTC) + a_day))
    finally:
        ledger.close()
    assert there(repeated) == before
    assert loads(repeated.ledger) == loaded + [
        one for one in loads(repeated.ledger)[len(loaded) :] if one[0] == "freeze"
    ]
    assert len(repeated.ledger.records(pilot="p05", kind="intent")) == intents
    assert rows_moved(world) == moved
    assert world.duplicates() == []
    (told,) = world.report(["p05"])["pilots"]
    assert told["state"] == "live"


def test_clearing_a_step_of_a_live_pilot_never_makes_rows_unaccounted(world: World, repeated: Pilot) -> None:
    """The service works on the target now: what it writes there was never on the source, and is not lost."""
    service = sides.target_service(repeated, "catalogue")
    with service.connect() as session:
        session.execute(PRICE)
    try:
        for name in ("reconcile", "expect", "ask_golden_queries", "rehearse", "gate_validation", "prove"):
            steps(repeated)[name]()
        assert world.report(["p05"], compared=False)["unaccounted_rows"] == 0
    finally:
        with service.connect() as session:
            session.execute("DELETE FROM stats.daily_price WHERE market = 'ตลาดใหม่'")
    assert shortfalls(world.report(["p05"])) == []


@pytest.mark.parametrize("name", ["release", "freeze", "shift_traffic", "stand_down"])
def test_no_step_of_the_night_disturbs_a_live_service(repeated: Pilot, name: str) -> None:
    with sides.target_service(repeated, "catalogue").connect(autocommit=True) as service:
        getattr(cutover, name)(repeated)
        with service.transaction(force_rollback=True):
            assert service.execute("UPDATE resource SET format = format").rowcount > 0
    assert repeated.ledger.cutover_state("p05") is CutoverState.COMMITTED
