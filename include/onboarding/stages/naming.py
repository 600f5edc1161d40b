"""The service's name: who leads it, where it leads, and whether the service answers there.

In Route 53 we lead it, by weights; where a person does: `naming_by_hand`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from onboarding import traffic
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation
from onboarding.stages import health, sides
from onboarding.stages.migration import effects
from onboarding.stages.pilot import Pilot


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
        ask=lambda address: health.probe(pilot, address),
        probes=settings.probes,
        hold=settings.step if hold is None else hold,
        arrived=arrived,
        still_ours=lambda: _demand_lead(pilot, name, mine),
    )


def prepare(pilot: Pilot, record: str) -> None:
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


def turn_back(pilot: Pilot, name: traffic.Name) -> None:
    """All look-ups of the name go to the source, and the source answers."""
    _lead(pilot, name)
    traffic.set_weights(pilot.cloud.client("route53", region="us-east-1"), name, 0)
    health.probe(pilot, pilot.resolve(name.source_host))


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
