"""What changed since the full proof: the verifier's own watches on both sides of a load (`reconcile.changes`).

With them only what changed is compared under the freeze, which so is as short for a large database as for a small one.
Where they do not stand, or the full proof does not, everything is compared there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from onboarding.errors import AskPerson
from onboarding.evidence_kinds import Reconciled
from onboarding.observations import Answer, Observation
from onboarding.reconcile.changes.proving import compare_changed
from onboarding.reconcile.changes.rounds import prove_round
from onboarding.reconcile.changes.sessions import WatchLost
from onboarding.reconcile.changes.standing import Began, stand
from onboarding.reconcile.changes.watches import Watch, Watches, close_watch, forget_pending, open_watch, retained
from onboarding.reconcile.report import Comparison
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot

FULL_PROOF_AT = "rehearsal"
FEW = 10_000
"""So many keys are compared in seconds."""


def stem(pilot: Pilot, workload: str, load: str) -> str:
    """The beginning of what everything about one load is called on both servers: "namrong_p02_registry_1f3a5c7e"."""
    return beginning(pilot, workload) + hashlib.sha256(load.encode()).hexdigest()[:8]


def beginning(pilot: Pilot, workload: str) -> str:
    """What the names of all its loads begin with."""
    return f"namrong_{pilot.id}_{workload}_"


def watches(pilot: Pilot, workload: str, load: str) -> Watches:
    """The watches of one load of one database: "…_seen" on both servers."""
    name, source, target = _name(pilot, workload, load), sides.source(pilot, workload), sides.target(pilot, workload)
    return Watches(Watch(name, "source", source, target), Watch(name, "target", target, target))


def open_source(pilot: Pilot, workload: str, load: str) -> None:
    """From here on every change of the source is told of. Call it before the load's snapshot is taken."""
    open_watch(watches(pilot, workload, load).source)


def stand_for_proof(pilot: Pilot, workload: str, load: str) -> dict[str, str] | None:
    """Before the full proof: where both watches began, the target's opened now; None when they cannot stand for it."""
    try:
        began = stand(watches(pilot, workload, load))
    except WatchLost:
        return None
    return {"load": load, "source": began.source, "target": began.target}


def prove(pilot: Pilot, workload: str, load: str) -> Comparison | str:
    """Under the freeze: what changed since the full proof, compared; or why everything has to be compared."""
    found = _full_proof(pilot, workload, load)
    if isinstance(found, str):
        return found
    began, record = found
    role = pilot.database_workload(workload).service_role
    try:
        return compare_changed(watches(pilot, workload, load), began, record=record, expect_writes_closed_for=role)
    except WatchLost as lost:
        return f"the watch was lost: {lost}"


def observe(pilot: Pilot, workload: str, load: str, applied: Callable[[], bool]) -> Observation:
    """One round of proving what changed. Passes when the rest is little, or when everything will be compared anyway."""
    expected = {"pending": FEW, "differing": []}
    found = _full_proof(pilot, workload, load)
    try:
        seen = found if isinstance(found, str) else prove_round(watches(pilot, workload, load), found[0], applied)
    except WatchLost as lost:
        seen = f"the watch was lost: {lost}"
    if isinstance(seen, str):
        return Observation("changed", Answer.PASS, {"all_under_the_freeze": seen}, expected, pilot.clock())
    differing = [f"{'.'.join(table)} ({', '.join(columns)})" for table, columns in seen.differing.items()]
    answer = Answer.FAIL if differing else Answer.UNKNOWN if seen.behind or seen.pending > FEW else Answer.PASS
    why = {Answer.FAIL: "following.differs", Answer.UNKNOWN: "following.many_pending"}.get(answer, "")
    values = {"count": seen.pending, "limit": FEW, "named": "; ".join(differing)}
    observed = {"pending": seen.pending, "differing": differing}
    return Observation("changed", answer, observed, expected, pilot.clock(), why, values)


def demand_room(pilot: Pilot, workload: str, load: str, *, limit_bytes: int) -> int:
    """Bytes that the watches make either server keep. Raises AskPerson above the limit."""
    for watch in watches(pilot, workload, load):
        if (kept := retained(watch)) > limit_bytes:
            raise AskPerson("follow.retained", where=str(watch), retained=kept, limit=limit_bytes, room="-")
    return max(retained(watch) for watch in watches(pilot, workload, load))


def close(pilot: Pilot, workload: str, load: str) -> None:
    """No watch of this load is left, and no key of a changed row. Safe to call again."""
    both = watches(pilot, workload, load)
    close_watch(both.source)  # first: it is the agency's disk that fills
    close_watch(both.target)
    forget_pending(both.target)


def close_at_source(pilot: Pilot, workload: str, load: str) -> None:
    """The same where the target is gone, and all that was kept there."""
    source = sides.source(pilot, workload)
    close_watch(Watch(_name(pilot, workload, load), "source", source, kept=source))


def _name(pilot: Pilot, workload: str, load: str) -> str:
    return f"{stem(pilot, workload, load)}_seen"


def _full_proof(pilot: Pilot, workload: str, load: str) -> tuple[Began, int] | str:
    """Where the watches began that stood at the full proof, and its record; or why there is none to go by."""
    proofs = pilot.ledger.records(pilot=pilot.id, kind=Reconciled.KIND, subject=workload)
    found = next((one for one in reversed(proofs) if one.body["moment"] == FULL_PROOF_AT), None)
    details = found.body["details"] if found else {}
    began = details.get("watches")
    if found is None or began is None or began["load"] != load:
        return "no full proof of this load while both watches stood"
    if any(seen["answer"] != Answer.PASS for seen in details["observations"]):
        return "the full proof did not pass"
    return Began(began["source"], began["target"]), found.seq
