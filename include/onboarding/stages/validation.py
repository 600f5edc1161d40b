"""Validation: the copy against the original, by code that did not make it; and the night, rehearsed."""

from __future__ import annotations

import mimetypes
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from onboarding import traffic
from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.cutover.window import time_needed
from onboarding.databases import freeze, sequences
from onboarding.databases.snapshot import exported
from onboarding.errors import Stop
from onboarding.evidence_kinds import Reconciled, Rehearsal
from onboarding.manifest import DatabaseWorkload
from onboarding.observations import Answer, Observation
from onboarding.reconcile import compare_databases
from onboarding.reconcile.files import compare_files
from onboarding.reconcile.golden import ask as ask_both
from onboarding.stages import following, sides
from onboarding.stages.loads import REHEARSAL, held_snapshot, load_name
from onboarding.stages.migration import effects
from onboarding.stages.pilot import Pilot
from onboarding.stages.uploading import PREFIX, bucket

REHEARSED_AT = "rehearsal"
HEALTH_QUERY = "SELECT count(*) FROM pg_catalog.pg_class"
PROBE_TIMEOUT_MS = 10_000


def reconcile(pilot: Pilot) -> dict[str, int]:
    """Compare every row, object, sequence, large object and file with its original, both ways.

    Not once the target serves the public: what it took since then was never on the source.
    """
    return {} if sides.has_switched(pilot) else compare(pilot, REHEARSED_AT)


def compare(pilot: Pilot, moment: str, *, frozen: bool = False) -> dict[str, int]:
    """Unaccounted rows and files of each workload, with a record of everything that was compared.

    Under a freeze the sequences too must stand exactly alike. Where the snapshot of the load is still open, the source
    is compared as it was then: a service that is followed goes on writing. After its switch it is the source that
    follows: what was written on the target before now has arrived there when the two are compared.
    """
    unaccounted: dict[str, int] = {}
    if sides.has_switched(pilot):
        following.settle(pilot)
    for workload in _to_prove(pilot) if moment == REHEARSED_AT else pilot.manifest.databases:
        snapshot = moment_of_load(pilot, workload.name) if moment == REHEARSED_AT else ""
        found = compare_databases(
            sides.source(pilot, workload.name),
            sides.target(pilot, workload.name),
            expect_writes_closed_for=workload.service_role,
            sequences="exactly" if frozen else "past_column" if snapshot else "at_least",
            source_snapshot=snapshot,
        )
        seen = [one.as_json() for one in found.observations(pilot.clock())]
        body = found.as_json(pilot.pseudonyms) | {"observations": seen}
        counted = found.unaccounted_rows
        _left(pilot, Reconciled(workload.name, "rows", moment, found.source_rows, counted, body))
        unaccounted[workload.name] = counted
    for folder in pilot.manifest.files:
        s3 = pilot.cloud.client("s3")
        files = compare_files(pilot.folders[folder.name], s3, bucket(pilot, folder.name), PREFIX)
        seen = [one.as_json() for one in files.observations(pilot.clock())]
        body = files.as_json(pilot.pseudonyms) | {"observations": seen}
        _left(pilot, Reconciled(folder.name, "files", moment, files.source_files, files.unaccounted_files, body))
        unaccounted[folder.name] = files.unaccounted_files
    return unaccounted


def compare_again(pilot: Pilot, moment: str) -> dict[str, int]:
    """A live pilot, compared once more as it is now.

    Not where the way back was given up: the old side stands still since then, and the service has gone on.
    """
    given_up = pilot.ledger.cutover_state(pilot.id) is CutoverState.CLOSED
    return {} if given_up else compare(pilot, moment)


def _to_prove(pilot: Pilot) -> tuple[DatabaseWorkload, ...]:
    """The databases that can be proven before the night.

    None on the target after the switch, and none that flows: it was proven before, and is again under the freeze.
    """
    return () if sides.has_switched(pilot) or following.has_begun(pilot) else pilot.manifest.databases


def moment_of_load(pilot: Pilot, workload: str) -> str:
    """The exported name of the snapshot that the workload was loaded from, while somebody holds it; else empty."""
    held = held_snapshot(pilot, workload, load_name(pilot, workload, REHEARSAL)) if pilot.manifest.follows else ""
    return exported(held) if held else ""


def not_proven(pilot: Pilot, moment: str, *, after: int) -> list[str]:
    """What the comparisons of that moment did not find equal, by workload and check.

    One that was not made counts, and one made before the record `after`.
    """
    doubtful: list[str] = []
    for name in [w.name for w in pilot.manifest.databases] + [w.name for w in pilot.manifest.files]:
        found = pilot.ledger.latest(pilot.id, Reconciled.KIND, name)
        if found is None or found.body["moment"] != moment or found.seq <= after:
            doubtful.append(f"{name}: not compared")
            continue
        seen = found.body["details"]["observations"]
        doubtful += [f"{name}: {one['check']}" for one in seen if one["answer"] != Answer.PASS]
    return doubtful


def expect(pilot: Pilot) -> dict[str, Any]:
    """Ask Great Expectations about source and target: what the move broke, and what was so before."""
    from onboarding import expectations

    outcome: dict[str, Any] = {}
    for workload in _to_prove(pilot):
        if not workload.expectations:
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = expectations.run(
                sides.source(pilot, workload.name),
                sides.target(pilot, workload.name),
                workload.expectations,
                out_dir=Path(folder),
                source_snapshot=moment_of_load(pilot, workload.name),
            )
            pages = _publish(pilot, Path(folder), workload.name)
        seen = [one.as_json() for one in result.observations(pilot.clock())]
        pilot.record("expectations", workload.name, result.as_json() | {"pages": pages, "observations": seen})
        outcome[workload.name] = {"counts": result.as_json()["counts"], "pages": pages}
    return outcome


def ask_golden_queries(pilot: Pilot) -> dict[str, int]:
    """Ask both sides the questions whose answers the agency signed."""
    asked: dict[str, int] = {}
    for workload in _to_prove(pilot):
        source, target = sides.source(pilot, workload.name), sides.target(pilot, workload.name)
        found = ask_both(source, target, workload.golden, source_snapshot=moment_of_load(pilot, workload.name))
        body = found.as_json() | {"observations": [seen.as_json() for seen in found.observations(pilot.clock())]}
        pilot.record("golden", workload.name, body)
        asked[workload.name] = len(found.answers)
    return asked


def rehearse(pilot: Pilot) -> dict[str, float]:
    """Go through the night and the way back on a scratch name, and time it: will it fit the window?"""
    if not _to_prove(pilot):
        return {}
    steps: dict[str, float] = {}
    for workload in pilot.manifest.databases:
        steps[f"freeze {workload.name}"] = freeze.rehearse_freeze(
            sides.source(pilot, workload.name), workload.service_role
        )
        loaded = pilot.ledger.latest(
            pilot.id, "load_finished", f"{workload.name}/{load_name(pilot, workload.name, REHEARSAL)}"
        )
        if loaded is None:
            raise Stop("cutover.nothing_loaded", where=workload.name)
        if not pilot.manifest.follows:  # what is followed is not loaded again under the freeze
            steps[f"load {workload.name}"] = float(loaded.body["seconds"])
        both = sides.source(pilot, workload.name), sides.target(pilot, workload.name)
        steps[f"sequences {workload.name}"] = _timed(partial(sequences.set_sequences, *both))
    steps["prove"] = _timed(lambda: compare(pilot, REHEARSED_AT))
    scratch = service_name(pilot, f"rehearsal.{pilot.manifest.cutover.traffic.record}")
    steps["traffic"] = _timed(lambda: ramp(pilot, scratch, pilot.manifest.cutover.traffic.ramp))
    way_back = _timed(lambda: turn_traffic_back(pilot, scratch))
    cutover_s = round(sum(steps.values()), 3)
    window = pilot.manifest.cutover
    needed = time_needed(timedelta(seconds=cutover_s), timedelta(seconds=way_back))
    fits = timedelta(seconds=cutover_s) <= window.freeze_budget
    pilot.record("rehearsal_steps", "cutover", {"steps": {name: round(s, 3) for name, s in steps.items()}})
    pilot.record(*Rehearsal(cutover_s, round(way_back, 3), needed.total_seconds(), fits).as_record())
    state = pilot.ledger.cutover_state(pilot.id)
    if state in (CutoverState.PLANNED, CutoverState.REHEARSED, CutoverState.ROLLED_BACK):
        why = {"cutover_s": cutover_s}
        pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.REHEARSED, body=why, run=pilot.run)
    return {"cutover_s": cutover_s, "way_back_s": round(way_back, 3)}


def service_name(pilot: Pilot, record: str) -> traffic.Name:
    """A name in the pilot's zone with a weighted record per side; the first database is the one behind it."""
    settings, workload = pilot.manifest.cutover.traffic, pilot.manifest.databases[0].name
    route53 = pilot.cloud.client("route53", region="us-east-1")
    zone = traffic.ensure_zone(route53, effects(pilot), settings.zone)
    return traffic.Name(
        zone_id=zone,
        record=record,
        source_host=sides.source(pilot, workload).host,
        target_host=sides.target(pilot, workload).host,
        ttl_s=settings.ttl_s,
    )


def ramp(
    pilot: Pilot,
    name: traffic.Name,
    steps: Sequence[int],
    arrived: Callable[[traffic.StepResult], None] | None = None,
    *,
    hold: timedelta | None = None,
) -> None:
    """The name's look-ups move to the target in steps (per cent), each probed with the service's own login.

    Each step is held for as long as the manifest says, or for `hold`.
    """
    settings = pilot.manifest.cutover.traffic
    mine = _lead(pilot, name)
    traffic.ramp(
        pilot.cloud.client("route53", region="us-east-1"),
        name,
        steps,
        resolve=pilot.resolve,
        ask=lambda address: probe_service(pilot, address),
        probes=settings.probes,
        hold=settings.step if hold is None else hold,
        arrived=arrived,
        still_ours=lambda: _demand_lead(pilot, name, mine),
    )


def prepare_name(pilot: Pilot, record: str) -> None:
    """The name leads to the source, by records that can be turned at once: what its TTL was is written down."""
    name, route53 = service_name(pilot, record), pilot.cloud.client("route53", region="us-east-1")
    was = traffic.longest_ttl(route53, name)
    _lead(pilot, name)
    traffic.set_weights(route53, name, 0)
    pilot.record("name_prepared", record, {"ttl_was": was, "ttl": name.ttl_s})


def observe_ttl(pilot: Pilot, record: str) -> Observation:
    """Whether nobody goes by an older TTL of the name any more, so that turning it is soon known everywhere."""
    told = pilot.ledger.records(pilot=pilot.id, kind="name_prepared", subject=record)
    known = max((one.at + timedelta(seconds=one.body["ttl_was"]) for one in told), default=None)
    now = pilot.clock()
    if known is None:
        return Observation("ttl", Answer.UNKNOWN, None, record, now, "cutover.name_not_prepared", {"record": record})
    answer = Answer.PASS if now >= known else Answer.UNKNOWN
    values = {"record": record, "known": known.isoformat(timespec="seconds")}
    return Observation("ttl", answer, values["known"], "passed", now, "cutover.old_ttl", values)


def turn_traffic_back(pilot: Pilot, name: traffic.Name) -> None:
    """All look-ups of the name go to the source, and the source answers."""
    _lead(pilot, name)
    traffic.set_weights(pilot.cloud.client("route53", region="us-east-1"), name, 0)
    probe_service(pilot, pilot.resolve(name.source_host))


def _lead(pilot: Pilot, name: traffic.Name) -> int:
    """From here on this attempt leads the name; one that was left behind, an orphan say, sets no weight any more."""
    return pilot.ledger.next_fence(pilot.id, f"traffic:{name.record}", run=pilot.run)


def was_led(pilot: Pilot, record: str) -> bool:
    """Whether any attempt ever set the name's weights."""
    return pilot.ledger.latest(pilot.id, "fence", f"traffic:{record}") is not None


def _demand_lead(pilot: Pilot, name: traffic.Name, mine: int) -> None:
    latest = pilot.ledger.latest(pilot.id, "fence", f"traffic:{name.record}")
    if latest is None or int(latest.body["token"]) != mine:
        raise Stop("traffic.fenced", where=name.record)


def probe_service(pilot: Pilot, address: str) -> None:
    """The service's first golden query, asked at one address with the service's own login. Raises Stop."""
    workload = pilot.manifest.databases[0]
    queries = [golden.sql for golden in workload.golden] or [HEALTH_QUERY]
    at: Database = sides.source_service(pilot, workload.name).at(address)
    try:
        with at.connect() as connection:
            connection.execute(f"SET statement_timeout = {PROBE_TIMEOUT_MS}")
            connection.execute("SET default_transaction_read_only = on")
            if connection.execute(queries[0].encode()).fetchone() is None:
                raise Stop("traffic.bad_answer", where=workload.name, address=address, reason="no rows")
    except psycopg.Error as failure:
        raise Stop("traffic.bad_answer", where=workload.name, address=address, reason=str(failure)) from failure


def _left(pilot: Pilot, shape: Reconciled) -> None:
    pilot.record(*shape.as_record())


def _timed(act: Callable[[], Any]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _publish(pilot: Pilot, folder: Path, workload: str) -> str:
    """Puts the Data Docs where the pages of the UI read them; returns the address of the first page."""
    s3 = pilot.management.client("s3")
    base = f"reports/{pilot.id}/{workload}/"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            key = base + path.relative_to(folder).as_posix()
            s3.put_object(
                Bucket=pilot.settings.anchor_bucket,
                Key=key,
                Body=path.read_bytes(),
                ContentType=kind,
                ChecksumAlgorithm="SHA256",
            )
    return f"/namrong/reports/{pilot.id}/{workload}/index.html"
