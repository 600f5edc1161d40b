"""A pilot that is given up before its switch: the service stays at home, and nothing of ours is left there.

A no of the approvers ends a journey that came to its approvals. This ends one that never will, whatever it stands at:
a validation that cannot pass, a night that was called off, an agency that thought better of it. Account, targets and
evidence stay; what an agency's server keeps for us does not, nor a restored backup that costs by the hour. The pilot
may be begun anew at any time: it loads from the beginning.
"""

from __future__ import annotations

from onboarding.cutover.state import CutoverState
from onboarding.errors import AskPerson, Stop
from onboarding.evidence_kinds import Refused, Release, RunBegan
from onboarding.programme import progress
from onboarding.stages import cutover, drill, feeds, following, live, loads, naming, naming_by_weights, sides
from onboarding.stages.pilot import Pilot


def abandon(pilot: Pilot, reason: str) -> dict[str, str]:
    """End the journey with a no and its reason: nothing is frozen any more, and no night can begin from here.

    Raises Stop when the service has switched, or nobody said why; AskPerson while a person has yet to lead the name
    back.
    """
    state = pilot.ledger.cutover_state(pilot.id)
    if sides.has_switched(pilot):
        raise Stop("abandoning.switched", where=pilot.id, state=state)
    if not reason.strip():
        raise Stop("abandoning.no_reason", where=pilot.id)
    _tell(pilot, reason.strip())
    if not _is_open(pilot):
        cutover.call_off(pilot)
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.ROLLED_BACK:
        naming.who_leads(pilot).demand_back(pilot)
    _forget_rehearsal(pilot)
    return {"state": pilot.ledger.cutover_state(pilot.id)}


def free_agency(pilot: Pilot) -> dict[str, int]:
    """No slot, publication or subscription is left on either side, and no watch: looked for, not taken for granted."""
    _demand_abandoned(pilot)
    following.abandon(pilot)
    _forget_loads(pilot)
    for workload in pilot.manifest.databases:
        if left := feeds.left_behind(pilot, workload.name):
            raise AskPerson("abandoning.left_behind", where=workload.name, named="; ".join(left))
    return {"databases": len(pilot.manifest.databases)}


def take_back(pilot: Pilot) -> dict[str, str]:
    """Readers at home, restored backups given up, the agency's access to the account taken back."""
    _demand_abandoned(pilot)
    if pilot.manifest.follows:
        naming_by_weights.turn_readers_back(pilot)
    drill.give_up_all(pilot)
    known = pilot.ledger.records(pilot=pilot.id, kind="access")
    return live.revoke_access(pilot) if known and known[-1].subject == "granted" else {}


def _tell(pilot: Pilot, reason: str) -> None:
    """Once per run, whatever is tried again."""
    if _is_told(pilot):
        return
    stage = progress.where(pilot.ledger, pilot.id).stage or "intake"
    pilot.record(*Refused(stage, pilot.requester, reason).as_record())


def _is_told(pilot: Pilot) -> bool:
    """Whether this run ended the journey, and no other has begun since."""
    told, began = (pilot.ledger.latest(pilot.id, kind) for kind in (Refused.KIND, RunBegan.KIND))
    return told is not None and told.run == pilot.run and (began is None or began.seq < told.seq)


def _demand_abandoned(pilot: Pilot) -> None:
    """Somebody may have marked the first task a success, or cleared a later one when a journey had begun anew."""
    state = pilot.ledger.cutover_state(pilot.id)
    if sides.has_switched(pilot) or not _is_told(pilot):
        raise Stop("abandoning.not_abandoned", where=pilot.id, state=state)


def _is_open(pilot: Pilot) -> bool:
    """Whether no night is on, nor one that was called off half: since it was, the source has been released."""
    here = pilot.ledger.cutover(pilot.id)
    if here.state is not CutoverState.ROLLED_BACK:
        return here.state is not CutoverState.FROZEN
    released = pilot.ledger.latest(pilot.id, Release.KIND, "cutover")
    return released is not None and released.seq > here.seq


def _forget_loads(pilot: Pilot) -> None:
    """Whoever begins again loads anew: by then the service has gone on writing."""
    for workload in pilot.manifest.databases:
        load = loads.load_name(pilot, workload.name, loads.REHEARSAL)
        if pilot.ledger.latest(pilot.id, "load_started", f"{workload.name}/{load}") is not None:
            loads.begin_anew(pilot, workload.name, load)


def _forget_rehearsal(pilot: Pilot) -> None:
    """Of this move and the one in `freeze` only one can happen: a night that begins after it needs a rehearsal."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is not CutoverState.PLANNED:
        why = {"by": "abandoned"}
        pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.PLANNED, body=why, run=pilot.run)
