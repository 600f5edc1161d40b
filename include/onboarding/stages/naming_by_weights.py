"""A service's name in Route 53: we lead it, by weights, and back by ourselves when the service does not answer well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from onboarding import traffic
from onboarding.errors import Stop
from onboarding.gates import Check
from onboarding.observations import Answer, Observation, judged
from onboarding.stages import health, sides
from onboarding.stages.migration import effects
from onboarding.stages.pilot import Pilot

AT_ONCE = (100,)


def service_name(pilot: Pilot, record: str) -> traffic.Name:
    """A name in the pilot's zone with a weighted record per side; the first database is the one behind it."""
    settings, workload = pilot.manifest.cutover.traffic, pilot.manifest.databases[0].name
    route53 = pilot.cloud.client("route53", region="us-east-1")
    zone = traffic.ensure_zone(route53, effects(pilot), str(settings.zone))
    return traffic.Name(
        zone_id=zone,
        record=record,
        source_host=sides.source(pilot, workload).host,
        target_host=sides.target(pilot, workload).host,
        ttl_s=settings.ttl_s,
    )


def prepare(pilot: Pilot) -> None:
    """The name leads to the source, by records that can be turned at once: what its TTL was is written down."""
    record = pilot.manifest.cutover.traffic.record
    name, route53 = service_name(pilot, record), pilot.cloud.client("route53", region="us-east-1")
    was = traffic.longest_ttl(route53, name)
    _lead(pilot, name)
    traffic.set_weights(route53, name, 0)
    pilot.record("name_prepared", record, {"ttl_was": was, "ttl": name.ttl_s})


def before_freeze(pilot: Pilot) -> dict[str, Check]:
    """That an older TTL has run out."""
    return {"ttl": lambda: observe_ttl(pilot, pilot.manifest.cutover.traffic.record)}


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


def lead_over(pilot: Pilot) -> dict[str, int]:
    """The name leads to the target, in steps, with a probe at each; back to 0 by itself if one fails."""
    record, (steps, hold) = pilot.manifest.cutover.traffic.record, _pace(pilot)
    _ramp(pilot, record, steps, hold, partial(_arrived, pilot, record))
    return {"percent": 100}


def lead_readers(pilot: Pilot, reads: str) -> dict[str, int]:
    """The same of the readers' name, in the manifest's steps."""
    settings = pilot.manifest.cutover.traffic
    _ramp(pilot, reads, settings.ramp, settings.step, partial(_arrived, pilot, reads))
    return {"percent": 100}


def demand(pilot: Pilot, side: str) -> None:
    """Raises Stop unless all weight is on that side: somebody may have marked the task that leads it a success."""
    seen = observe(pilot, side)
    if seen.answer is not Answer.PASS:
        raise Stop(seen.why, where=pilot.id, **dict(seen.values))


def turn_back(pilot: Pilot) -> None:
    """All look-ups of the name go to the source, and the source answers."""
    _turn_back(pilot, pilot.manifest.cutover.traffic.record)


def turn_readers_back(pilot: Pilot) -> None:
    """The readers' name leads to the source again, if there is one and any attempt ever led it."""
    reads = pilot.manifest.cutover.traffic.reads
    if reads and pilot.ledger.latest(pilot.id, "fence", f"traffic:{reads}") is not None:
        _turn_back(pilot, reads)


def demand_back(pilot: Pilot) -> None:
    """Nothing: nobody was asked. `turn_back` has come back, so it is done."""


def observe(pilot: Pilot, side: str) -> Observation:
    """Whether all weight is on that side, as Route 53 holds it."""
    expected = {traffic.SOURCE: 0, traffic.TARGET: 0} | {side: 100}
    name = service_name(pilot, pilot.manifest.cutover.traffic.record)
    weights = traffic.current_weights(pilot.cloud.client("route53", region="us-east-1"), name)
    return judged("traffic", weights, expected, pilot.clock(), why="stages.traffic_elsewhere", record=name.record)


def rehearsal(pilot: Pilot) -> Sequence[tuple[str, Callable[[], dict[str, int]]]]:
    """A name beside the real one, led over at the night's own pace."""
    return [("traffic", partial(_rehearse, pilot))]


def rehearse_readers(pilot: Pilot, reads: str) -> dict[str, int]:
    """A name beside the readers', led to the target in the manifest's steps and back."""
    settings = pilot.manifest.cutover.traffic
    _ramp(pilot, _scratch(reads), settings.ramp, settings.step)
    _turn_back(pilot, _scratch(reads))
    return {"percent": settings.ramp[-1]}


def turn_rehearsal_back(pilot: Pilot) -> None:
    """All look-ups of the name beside the real one go to the source, and the source answers."""
    _turn_back(pilot, _scratch(pilot.manifest.cutover.traffic.record))


def agency_needs(pilot: Pilot) -> dict[str, float]:
    """Nothing: nobody is waited for."""
    return {}


def _pace(pilot: Pilot) -> tuple[Sequence[int], timedelta]:
    """Steps (per cent), and for how long each is held.

    With `follow` it is one: this is the writers' name, and the readers have gone before.
    """
    settings = pilot.manifest.cutover.traffic
    return (AT_ONCE, timedelta(0)) if pilot.manifest.follows else (settings.ramp, settings.step)


def _rehearse(pilot: Pilot) -> dict[str, int]:
    steps, hold = _pace(pilot)
    _ramp(pilot, _scratch(pilot.manifest.cutover.traffic.record), steps, hold)
    return {"percent": steps[-1]}


def _scratch(record: str) -> str:
    return f"rehearsal.{record}"


def _ramp(
    pilot: Pilot,
    record: str,
    steps: Sequence[int],
    hold: timedelta,
    arrived: Callable[[traffic.StepResult], None] | None = None,
) -> None:
    """The name's look-ups move to the target in steps, each probed with the service's own login."""
    name, settings = service_name(pilot, record), pilot.manifest.cutover.traffic
    mine = _lead(pilot, name)
    traffic.ramp(
        pilot.cloud.client("route53", region="us-east-1"),
        name,
        steps,
        resolve=pilot.resolve,
        ask=lambda address: health.probe(pilot, address),
        probing=traffic.Probing(settings.probes, hold, settings.tolerated),
        arrived=arrived,
        still_ours=lambda: _demand_lead(pilot, name, mine),
    )


def _arrived(pilot: Pilot, record: str, step: traffic.StepResult) -> None:
    body = {"percent": step.percent, "probes": step.probes, "failed": step.failed, "seen": list(step.seen)}
    pilot.record("traffic", record, body | {"seconds": step.seconds})


def _turn_back(pilot: Pilot, record: str) -> None:
    name = service_name(pilot, record)
    _lead(pilot, name)
    traffic.set_weights(pilot.cloud.client("route53", region="us-east-1"), name, 0)
    health.probe(pilot, pilot.resolve(name.source_host))


def _lead(pilot: Pilot, name: traffic.Name) -> int:
    """From here on this attempt leads the name; one that was left behind, an orphan say, sets no weight any more."""
    return pilot.ledger.next_fence(pilot.id, f"traffic:{name.record}", run=pilot.run)


def _demand_lead(pilot: Pilot, name: traffic.Name, mine: int) -> None:
    latest = pilot.ledger.latest(pilot.id, "fence", f"traffic:{name.record}")
    if latest is None or int(latest.body["token"]) != mine:
        raise Stop("traffic.fenced", where=name.record)
