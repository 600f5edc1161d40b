"""All three live, and the report says so; one row, one file or one account too many or too few, and it says that."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_process import ask

from onboarding.programme.commands import show_report
from onboarding.programme.report import shortfalls
from onboarding.stages import sides, uploading, validation
from onboarding.stages.pilot import Pilot

from .conftest import PILOTS, World, travel

Told = Callable[[dict[str, Any]], str]

LETTER = """DELETE FROM "ตัวอย่างอักขระ" WHERE "รหัส" = (SELECT min("รหัส") FROM "ตัวอย่างอักขระ") RETURNING *"""
PUT_BACK = """INSERT INTO "ตัวอย่างอักขระ" VALUES (%s, %s, %s, %s, %s, %s)"""


@pytest.fixture(scope="module")
def live(world: World, rehearsed: Pilot, straight: Pilot, repeated: Pilot) -> dict[str, Any]:
    """The report when all three are live; p09 goes on from where its tests left it."""
    if world.ledger.latest("p09", "stage", "live") is None:
        travel(world.pilot("p09"), first="approve")
    return world.report()


def test_three_are_live_and_nothing_is_lost_or_doubled(world: World, live: dict[str, Any], told: Told) -> None:
    assert shortfalls(live) == [], told(live)
    assert (live["goal"], live["live"], live["refused"]) == (3, 3, 1)  # p10, by policy
    assert live["unaccounted_rows"] == live["unaccounted_files"] == live["duplicate_side_effects"] == 0
    assert live["sandbox"] is True
    for pilot in live["pilots"]:
        assert pilot["state"] == "live"
        assert pilot["rows"] > 1_000 and pilot["files"] > 20
        assert 0 < pilot["freeze_s"] < pilot["lead_time_s"]
        assert pilot["rehearsal_s"] > 0 and pilot["rollback_rehearsal_s"] > 0
    assert show_report(live, "th", lambda _: None) == 0


def test_the_figures_are_those_of_the_real_sides(world: World, live: dict[str, Any]) -> None:
    """Counted here by another way than the programme's."""
    for told in live["pilots"]:
        pilot = world.pilot(told["id"])
        rows = 0
        for workload in pilot.manifest.databases:
            with sides.target(pilot, workload.name).connect() as connection:
                connection.execute("SET search_path = ''")
                tables = connection.execute(
                    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                    " WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%'"
                    " AND nspname NOT IN ('information_schema', 'namrong')"
                ).fetchall()
                for (table,) in tables:
                    (count,) = connection.execute(f"SELECT count(*) FROM ONLY {table}".encode()).fetchone() or (0,)
                    rows += int(str(count))
        assert told["rows"] == rows
        files = sum(
            len(found) for folder in pilot.manifest.files for _, _, found in os.walk(pilot.folders[folder.name])
        )
        assert files >= told["files"] > 0.9 * files  # a link is no file


def test_the_ledger_is_verified_and_anchored(world: World, live: dict[str, Any]) -> None:
    anchors = world.anchors()
    assert live["ledger"]["verified"] is True
    # Each gate that ends a stage anchors; three pilots have six of them.
    assert len({anchor.seq for anchor in anchors}) >= 18
    last = world.ledger.records(kind="observation", subject="soak")[-1]
    assert max(anchor.seq for anchor in anchors) >= last.seq


def test_one_row_less_on_the_target(world: World, live: dict[str, Any]) -> None:
    with sides.target(world.pilot("p02"), "registry").connect() as master:
        row = master.execute(LETTER).fetchone()
    assert row is not None
    try:
        assert validation.compare(world.pilot("p02"), "report")["registry"] == 1
        missing = world.report(compared=False)
        assert (missing["unaccounted_rows"], shortfalls(missing)) == (1, ["unaccounted_rows"])
        assert show_report(missing, "en", lambda _: None) == 1
    finally:
        with sides.target(world.pilot("p02"), "registry").connect() as master:
            master.execute(PUT_BACK, row)
    assert shortfalls(world.report(["p02"])) == []


@pytest.fixture
def stored(world: World, live: dict[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """S3, p05's bucket, and one object of it; whatever was done to it is taken back."""
    pilot = world.pilot("p05")
    s3, name = pilot.cloud.client("s3"), uploading.bucket(pilot, pilot.manifest.files[0].name)
    key = s3.list_objects_v2(Bucket=name, Prefix=uploading.PREFIX)["Contents"][0]["Key"]
    before = s3.head_object(Bucket=name, Key=key)["VersionId"]
    yield s3, name, key
    found = s3.list_object_versions(Bucket=name, Prefix=key)
    for version in [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]:
        if version["Key"] == key and version["VersionId"] != before:
            s3.delete_object(Bucket=name, Key=key, VersionId=version["VersionId"])
    assert shortfalls(world.report(["p05"])) == []


def missed(world: World) -> tuple[int, list[str]]:
    told = world.report(["p05"])
    return told["unaccounted_files"], shortfalls(told)


def test_one_object_deleted(world: World, stored: tuple[Any, str, str]) -> None:
    s3, name, key = stored
    s3.delete_object(Bucket=name, Key=key)
    assert missed(world) == (1, ["unaccounted_files"])


def test_one_object_replaced_by_other_content_of_the_same_length(world: World, stored: tuple[Any, str, str]) -> None:
    s3, name, key = stored
    was = s3.get_object(Bucket=name, Key=key)
    content = was["Body"].read()
    changed = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
    s3.put_object(Bucket=name, Key=key, Body=changed, Metadata=was["Metadata"])
    assert missed(world) == (1, ["unaccounted_files"])


def test_one_object_that_no_file_was_sent_for(world: World, stored: tuple[Any, str, str]) -> None:
    s3, name, _ = stored
    s3.put_object(Bucket=name, Key=f"{uploading.PREFIX}nobody sent this", Body=b"x")
    try:
        assert missed(world) == (1, ["unaccounted_files"])
    finally:
        for version in s3.list_object_versions(Bucket=name, Prefix=f"{uploading.PREFIX}nobody")["Versions"]:
            s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])


def test_one_file_altered_at_the_source(world: World, live: dict[str, Any]) -> None:
    pilot = world.pilot("p05")
    folder = pilot.folders[pilot.manifest.files[0].name]
    path = next(path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size > 100)
    content, at = path.read_bytes(), path.stat()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))  # neither length nor time tell
    try:
        assert missed(world) == (1, ["unaccounted_files"])
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert missed(world) == (0, [])


def test_an_account_asked_for_twice(world: World, live: dict[str, Any]) -> None:
    entries = ask(world.cloud, "audit")["entries"]
    asked = [one for one in entries if one["action"] == "CreateAccount" and one["seq"] not in world.strays]
    assert len(asked) == len(PILOTS)
    organizations = world.pilot("p02").management.client("organizations")
    organizations.create_account(**asked[0]["params"])
    try:
        (too_many,) = world.duplicates()
        assert (too_many.action, too_many.why) == ("organizations:CreateAccount", "more_than_intended")
        doubled = world.report(compared=False)
        assert (doubled["duplicate_side_effects"], shortfalls(doubled)) == (1, ["duplicate_side_effects"])
        assert show_report(doubled, "en", lambda _: None) == 1
    finally:
        world.strays |= {one["seq"] for one in world.audit()} - {one["seq"] for one in entries}
    assert world.duplicates() == []
