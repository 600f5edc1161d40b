"""The freeze of a night as the sources themselves tell it: whether it stands, until when, and made permanent.

Each source keeps its own deadline, by its own clock (`databases.deadline`); every step under the freeze comes by here
and sees to it that somebody keeps it.
"""

from __future__ import annotations

from datetime import datetime

from onboarding.cutover.state import CutoverState
from onboarding.databases import deadline
from onboarding.databases import freeze as engine_freeze
from onboarding.errors import Stop
from onboarding.evidence_kinds import FreezeExpired, FreezeMadePermanent
from onboarding.manifest import DatabaseWorkload
from onboarding.observations import Answer
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot


def attempt(pilot: Pilot) -> str:
    """What the sources call this night: when the ledger moved to where it is. No other attempt has the same."""
    since = pilot.ledger.cutover(pilot.id).since
    return since.isoformat() if since is not None else ""


def begin(pilot: Pilot) -> list[engine_freeze.Freeze]:
    """Every source refuses the service's writes, for as long as was agreed. Raises Stop when one already expired."""
    night, budget = attempt(pilot), pilot.manifest.cutover.freeze_budget
    begun = []
    for workload in pilot.manifest.databases:
        source = sides.source(pilot, workload.name)
        begun.append(engine_freeze.freeze(source, workload.service_role, within=budget, attempt=night))
        seen = engine_freeze.observe_frozen(sides.source_service(pilot, workload.name))
        if seen.answer is not Answer.PASS:
            _demand_standing(pilot, workload)
            raise Stop("cutover.writes_go_on", where=workload.name, observed=str(seen.observed))
    return begun


def demand(pilot: Pilot) -> None:
    """The night is on: frozen by the ledger and by every source, and within what was agreed. Raises Stop if not."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is not CutoverState.FROZEN:
        raise Stop("cutover.not_frozen", where=pilot.id, state=state)
    for workload in pilot.manifest.databases:
        _demand_standing(pilot, workload)
    since = pilot.ledger.cutover(pilot.id).since
    if not pilot.manifest.databases and since is not None:  # files alone: nobody's clock but ours
        _demand_in_budget(pilot, since, pilot.clock())


def _demand_standing(pilot: Pilot, workload: DatabaseWorkload) -> None:
    source = sides.source(pilot, workload.name)
    writes = deadline.hold(source, workload.service_role)
    if writes is None or writes.frozen_at is None:
        if writes is not None and writes.expired_at is not None and writes.attempt == attempt(pilot):
            raise deadline.expired(source, writes)
        raise Stop("cutover.writes_go_on", where=workload.name, observed="not frozen")
    if writes.permanent_at is None:
        _demand_in_budget(pilot, writes.frozen_at, writes.seen_at, writes.deadline)


def _demand_in_budget(pilot: Pilot, since: datetime, now: datetime, until: datetime | None = None) -> None:
    """A freeze that outlasts what was agreed is called off: this fails, and `stand_down` opens the source again."""
    budget = pilot.manifest.cutover.freeze_budget
    if now > (until or since + budget):
        raise Stop("cutover.overrun", where=pilot.id, passed=str(now - since).split(".")[0], budget=str(budget))


def make_permanent(pilot: Pilot, night: str) -> None:
    """The commit point of the switch, on each source: from here on no freeze of this night ends by itself.

    In the order of freezing: the first has the earliest deadline, so that it is the likeliest to be refused. Raises
    Stop when one is; `stand_down` then opens them all.
    """
    for workload in pilot.manifest.databases:
        source = sides.source(pilot, workload.name)
        made = deadline.make_permanent(source, workload.service_role, attempt=night)
        if made.permanent_at is not None:
            _record_once(pilot, FreezeMadePermanent(workload.name, made.permanent_at, made.deadline))


def lift(pilot: Pilot) -> datetime | None:
    """The service may write on every source again; since when the last of them lets it, None when none was frozen."""
    opened: list[datetime] = []
    for workload in pilot.manifest.databases:
        source = sides.source(pilot, workload.name)
        at = engine_freeze.unfreeze(source, workload.service_role)
        found = deadline.hold(source, workload.service_role)
        if at is not None:
            opened.append(at)
        if found is not None and found.expired_at is not None and found.expired_at == found.opened_at:
            _record_once(pilot, FreezeExpired(workload.name, found.expired_at, found.deadline))
    return max(opened, default=None)


def _record_once(pilot: Pilot, told: FreezeMadePermanent | FreezeExpired) -> None:
    """A repetition finds the same moment on the source, and has nothing to add."""
    before = pilot.ledger.latest(pilot.id, told.KIND, told.workload)
    if before is None or type(told).of(before) != told:
        pilot.record(*told.as_record())
