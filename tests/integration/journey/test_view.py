"""The programme view of real journeys, each figure counted again in SQL on their ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import psycopg
import pytest

from onboarding.manifest import Manifest
from onboarding.messages import Language
from onboarding.programme.lanes import About
from onboarding.programme.reading import Reading
from onboarding.programme.rules import load_rules
from onboarding.programme.view import Reader, view
from onboarding.stages.gates import GATES
from onboarding.stages.pilot import Pilot
from onboarding.thai_calendar import BANGKOK

from .conftest import PILOTS, World

TIMES = """
SELECT min(at) FILTER (WHERE kind = 'stage'),
       min(at) FILTER (WHERE kind = 'stage' AND body::jsonb @> '{"stage": "account", "state": "passed"}'),
       min(at) FILTER (WHERE kind IN ('moved_rows', 'moved_files')),
       min(at) FILTER (WHERE kind = 'stage' AND body::jsonb @> '{"stage": "live", "state": "passed"}')
FROM ledger.records WHERE pilot = %s
"""
COMPARED = """
SELECT what, sum(source)::int, sum(unaccounted)::int FROM (
    SELECT DISTINCT ON (body::jsonb ->> 'workload', body::jsonb ->> 'what') body::jsonb ->> 'what' AS what,
           (body::jsonb ->> 'source')::int AS source, (body::jsonb ->> 'unaccounted')::int AS unaccounted
    FROM ledger.records WHERE pilot = %s AND kind = 'reconciled'
    ORDER BY body::jsonb ->> 'workload', body::jsonb ->> 'what', seq DESC) newest GROUP BY what
"""
GATES_SEEN = "SELECT DISTINCT subject FROM ledger.records WHERE pilot = %s AND kind = 'observation'"
PASSED = """
SELECT count(DISTINCT pilot) FROM ledger.records
WHERE kind = 'stage' AND body::jsonb ->> 'stage' = %s AND body::jsonb ->> 'state' = 'passed'
"""
STAGES = {"approved": "intake", "account_ready": "account", "migrated": "migration", "validated": "validation"}


def seen(world: World, language: Language) -> dict[str, Any]:
    """As the page is told; p09 waits after its rehearsal or is live, wherever its own tests left it."""
    manifests: list[Manifest] = [world.pilot(pilot).manifest for pilot in PILOTS]
    with Reading(world.ledger).current() as programme:
        abouts = [About.of(one) for one in manifests]
        everything = Reader(None, task_reasons=True)
        return view(programme, abouts, load_rules(), everything, language, world.ledger.now(), sandbox=False)


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_view_of_real_journeys(
    world: World, rehearsed: Pilot, straight: Pilot, repeated: Pilot, language: Language
) -> None:
    told = seen(world, language)
    assert told["sandbox"] is True and told["counts"]["identified"] == len(PILOTS)
    with world.owner.connect() as sql:
        for name, stage in STAGES.items():
            assert sql.execute(PASSED, [stage]).fetchone() == (told["counts"][name],), name
        assert sql.execute(PASSED, ["live"]).fetchone() == (told["counts"]["live"],)
        assert sql.execute("SELECT max(seq) FROM ledger.records").fetchone() >= (told["ledger"]["record"],)  # type: ignore[operator]
        for lane in told["lanes"]:
            check_lane(sql, lane, world.pilot(lane["id"]).manifest)


def check_lane(sql: psycopg.Connection[Any], lane: dict[str, Any], manifest: Manifest) -> None:
    begun, account, data, live = sql.execute(TIMES, [lane["id"]]).fetchone() or (None,) * 4
    lengths = {span["name"]: span["length_s"] for span in lane["spans"] if span["over"]}
    received = datetime.combine(
        date.fromisoformat(str(manifest.request and manifest.request.received)), time(), BANGKOK
    )
    expected = {"request": begun - min(received.astimezone(UTC), begun), "account": account - begun}
    expected |= {"first_data": data - account} | ({"live": live - data} if live else {})
    assert lengths == {name: pytest.approx(length.total_seconds(), abs=0.001) for name, length in expected.items()}
    assert (lane["state"] == "live") is (live is not None)
    compared = {"rows": 0, "files": 0, "unaccounted_rows": 0, "unaccounted_files": 0}
    for what, source, unaccounted in sql.execute(COMPARED, [lane["id"]]).fetchall():
        compared |= {what: source, f"unaccounted_{what}": unaccounted}
    assert lane["compared"] == compared and compared["rows"] > 1_000
    gates = {gate["name"] for gate in lane["gates"]}
    assert gates == {gate for (gate,) in sql.execute(GATES_SEEN, [lane["id"]]).fetchall()} <= set(GATES)
    assert lane["reports"] == sorted(one.name for one in manifest.databases if one.expectations)
    assert lane["confidence"]["level"] in (3, 4, 5) and lane["stages"][0]["is"] == "done"
    for span in lane["spans"][1:]:
        assert 0 <= span["waited_s"] <= span["length_s"]
