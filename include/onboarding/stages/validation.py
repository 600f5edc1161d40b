"""Validation: the copy against the original, by code that did not make it; and the name that leads to either."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path
from typing import Any

from onboarding.cutover.state import CutoverState
from onboarding.databases.snapshot import exported
from onboarding.evidence_kinds import Reconciled
from onboarding.manifest import DatabaseWorkload
from onboarding.manifest_files import FilesWorkload
from onboarding.observations import Answer
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.files_report import FilesComparison
from onboarding.reconcile.golden import ask as ask_both
from onboarding.reconcile.report import Comparison
from onboarding.stages import feeds, following, proving_files, sides, watching
from onboarding.stages.loads import REHEARSAL, held_snapshot, load_name
from onboarding.stages.pilot import Pilot

REHEARSED_AT = "rehearsal"


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
    for workload in to_prove(pilot) if moment == REHEARSED_AT else pilot.manifest.databases:
        found, about = _compared(pilot, workload, moment, frozen=frozen)
        seen = [one.as_json() for one in found.observations(pilot.clock())]
        body = found.as_json(pilot.pseudonyms) | {"observations": seen} | about
        counted = found.unaccounted_rows
        _left(pilot, Reconciled(workload.name, "rows", moment, found.source_rows, counted, body))
        unaccounted[workload.name] = counted
    for folder in pilot.manifest.files:
        files = _files_compared(pilot, folder, moment, frozen=frozen)
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


def _compared(
    pilot: Pilot, workload: DatabaseWorkload, moment: str, *, frozen: bool
) -> tuple[Comparison, dict[str, Any]]:
    """The two databases compared, and what that proof stands on.

    Followed and under the freeze, only what changed since the full proof is, as long as every change is known.
    """
    about: dict[str, Any] = {}
    if frozen and pilot.manifest.follows:
        proven = following.prove(pilot, workload.name)
        if not isinstance(proven, str):
            return proven, about
        about = {"everything_because": proven}
    snapshot = moment_of_load(pilot, workload.name) if moment == REHEARSED_AT else ""
    if moment == REHEARSED_AT and pilot.manifest.follows:
        load = load_name(pilot, workload.name, REHEARSAL)
        about = {"watches": watching.stand_for_proof(pilot, workload.name, load)}
    found = compare_databases(
        sides.source(pilot, workload.name),
        sides.target(pilot, workload.name),
        expect_writes_closed_for=workload.service_role,
        sequences="exactly" if frozen else "past_column" if snapshot else "at_least",
        source_snapshot=snapshot,
    )
    return found, about


def _files_compared(pilot: Pilot, folder: FilesWorkload, moment: str, *, frozen: bool) -> FilesComparison:
    """As for databases: before the night all files, under the freeze what changed since."""
    if frozen:
        return proving_files.prove_changed(pilot, folder)
    return (proving_files.prove_and_keep if moment == REHEARSED_AT else proving_files.compared)(pilot, folder)


def to_prove(pilot: Pilot) -> tuple[DatabaseWorkload, ...]:
    """The databases that can be proven before the night.

    None on the target after the switch, and none that flows: it was proven before, and is again under the freeze.
    """
    return () if sides.has_switched(pilot) or feeds.has_begun(pilot) else pilot.manifest.databases


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
    for workload in to_prove(pilot):
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
    for workload in to_prove(pilot):
        source, target = sides.source(pilot, workload.name), sides.target(pilot, workload.name)
        found = ask_both(source, target, workload.golden, source_snapshot=moment_of_load(pilot, workload.name))
        body = found.as_json() | {"observations": [seen.as_json() for seen in found.observations(pilot.clock())]}
        pilot.record("golden", workload.name, body)
        asked[workload.name] = len(found.answers)
    return asked


def _left(pilot: Pilot, shape: Reconciled) -> None:
    pilot.record(*shape.as_record())


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
