"""A service's name whose zone is not in Route 53, as most of `.go.th`: a person changes the record when asked.

We cannot turn it, only say what it has to become and look it up until it has: no answer of a person is believed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onboarding.errors import AskPerson, Stop
from onboarding.gates import Check
from onboarding.observations import Answer, Observation
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot
from onboarding.traffic import SOURCE, TARGET

ASKED, LED = "name_asked", "name_led"


def host(pilot: Pilot, side: str) -> str:
    """The host name that the record has to lead to; the first database is the one behind it."""
    workload = pilot.manifest.databases[0].name
    return (sides.target if side == TARGET else sides.source)(pilot, workload).host


def prepare(pilot: Pilot) -> None:
    """Nothing: the record is the agency's, and only they can make it ready."""


def before_freeze(pilot: Pilot) -> dict[str, Check]:
    """Nothing: an older answer's time is waited for after the change, when it was seen (`observe`)."""
    return {}


def lead_over(pilot: Pilot) -> dict[str, str]:
    """The agency is asked to lead the record to the target; gate `named` waits until look-ups say so."""
    return ask(pilot, TARGET)


def turn_back(pilot: Pilot) -> None:
    """The agency is asked to lead the record to the source, and not waited for: until then nobody writes anywhere."""
    ask(pilot, SOURCE)


def ask(pilot: Pilot, side: str) -> dict[str, str]:
    """Ask the agency to lead the record to that side; once, until the other side is asked for."""
    record, wanted = pilot.manifest.cutover.traffic.record, {"side": side, "host": host(pilot, side)}
    if asked_for(pilot) != side:
        pilot.record(ASKED, record, wanted)
    return wanted


def asked_for(pilot: Pilot) -> str:
    """The side that was asked for last; the source where nothing ever was."""
    asked = pilot.ledger.latest(pilot.id, ASKED, pilot.manifest.cutover.traffic.record)
    return str(asked.body["side"]) if asked is not None else SOURCE


def observe(pilot: Pilot, side: str) -> Observation:
    """Pass when every look-up leads to that side, for as long as an older answer may have been kept; else unknown.

    Never a failure: a record that leads elsewhere is one that a person has yet to change.
    """
    settings, now = pilot.manifest.cutover.traffic, pilot.clock()
    wanted = pilot.resolve(host(pilot, side))
    seen = sorted({pilot.resolve(settings.record) for _ in range(settings.probes)})
    values = {"record": settings.record, "host": host(pilot, side), "seen": ", ".join(seen)}
    if seen != [wanted]:
        return Observation("named", Answer.UNKNOWN, seen, [wanted], now, "naming_by_hand.change_it", values)
    known = _led_since(pilot, side) + timedelta(seconds=settings.ttl_s)
    if now < known:
        values["known"] = known.isoformat(timespec="seconds")
        return Observation("named", Answer.UNKNOWN, seen, [wanted], now, "naming_by_hand.older_answers", values)
    return Observation("named", Answer.PASS, seen, [wanted], now)


def demand(pilot: Pilot, side: str) -> None:
    """Raises Stop when the record does not lead to that side now."""
    seen = observe(pilot, side)
    if seen.answer is not Answer.PASS:
        raise Stop(seen.why, where=pilot.id, **dict(seen.values))


def demand_back(pilot: Pilot) -> None:
    """Raises AskPerson while the record leads elsewhere than to the source, of a pilot that has been turned back."""
    seen = observe(pilot, SOURCE)
    if seen.why == "naming_by_hand.change_it":
        raise AskPerson(seen.why, where=pilot.id, **dict(seen.values))


def rehearsal(pilot: Pilot) -> tuple[()]:
    """No step: people are not rehearsed, what they said they need counts."""
    return ()


def turn_rehearsal_back(pilot: Pilot) -> None:
    """Nothing: no name was led anywhere."""


def agency_needs(pilot: Pilot) -> dict[str, float]:
    """The agency's own word for one change, and the time for which an older answer may be kept; either way."""
    settings = pilot.manifest.cutover.traffic
    within = settings.change_within or timedelta(0)  # there is one: `manifest.Traffic` asks for it in this mode
    needed = within.total_seconds() + settings.ttl_s
    return {"traffic": needed, "turn_back": needed}


def _led_since(pilot: Pilot, side: str) -> datetime:
    """When the record was first seen to lead there, since it was last asked for. Written down at the first look.

    One that nobody was ever asked to change has always led where it does.
    """
    record = pilot.manifest.cutover.traffic.record
    asked, led = pilot.ledger.latest(pilot.id, ASKED, record), pilot.ledger.latest(pilot.id, LED, record)
    if asked is None:
        return datetime.min.replace(tzinfo=UTC)
    if led is None or led.seq <= asked.seq or led.body["side"] != side:
        pilot.record(LED, record, {"side": side, "host": host(pilot, side)})
        led = pilot.ledger.latest(pilot.id, LED, record)
    return led.at if led is not None else pilot.clock()
