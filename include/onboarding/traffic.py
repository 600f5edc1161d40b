"""The service's name: two weighted records, one per side, and a ramp that goes back to 0 by itself.

A weight spreads look-ups, not users: a resolver keeps its answer for the TTL, and a program keeps its connection
(Route 53 developer guide, "Weighted routing"). With one writer, writes move in one step; only reads may be spread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.errors import OnboardingError, Stop, TryAgain
from onboarding.look_ups import Resolver

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

SOURCE, TARGET = "source", "target"
INSYNC_WITHIN_S = 300
POLL_S = 0.3

Ask = Callable[[str], None]
"""Uses the service at an address; raises OnboardingError when it does not answer well."""


@dataclass(frozen=True)
class Name:
    """A service's name, the two host names behind it, and how long a resolver may keep an answer (seconds)."""

    zone_id: str
    record: str
    source_host: str
    target_host: str
    ttl_s: int


@dataclass(frozen=True)
class StepResult:
    """One step of a ramp: the target's share, probes and how many of them went badly, the addresses the name gave."""

    percent: int
    probes: int
    failed: int
    seen: tuple[str, ...]
    seconds: float


@explaining("route53")
def ensure_zone(route53: Route53Client, effects: Effects, zone: str) -> str:
    """The id of the hosted zone, made once."""
    made = effects.make(
        "route53",
        "CreateHostedZone",
        zone,
        {"zone": zone},
        find=lambda: _zone(route53, zone),
        perform=lambda: {
            "zone": route53.create_hosted_zone(Name=zone, CallerReference=f"namrong-{zone}")["HostedZone"]["Id"]
        },
    )
    return str(made["zone"])


@explaining("route53")
def set_weights(route53: Route53Client, name: Name, target_percent: int) -> None:
    """The target's share of look-ups is `target_percent`, in force on all name servers. Raises TryAgain when late.

    Written even if the records say so already: whoever wrote that may have died before it was in force.
    """
    shares = {SOURCE: 100 - target_percent, TARGET: target_percent}
    hosts = {SOURCE: name.source_host, TARGET: name.target_host}
    changes: list[Any] = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": name.record,
                "Type": "CNAME",
                "SetIdentifier": side,
                "Weight": weight,
                "TTL": name.ttl_s,
                "ResourceRecords": [{"Value": hosts[side]}],
            },
        }
        for side, weight in shares.items()
    ]
    change = route53.change_resource_record_sets(HostedZoneId=name.zone_id, ChangeBatch={"Changes": changes})
    _wait_in_sync(route53, change["ChangeInfo"]["Id"])


@explaining("route53")
def current_weights(route53: Route53Client, name: Name) -> dict[str, int]:
    """Weight by side as Route 53 holds them; empty when the records are not there."""
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=name.zone_id)
    return {
        record["SetIdentifier"]: record["Weight"]
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Name"].rstrip(".") == name.record and "SetIdentifier" in record
    }


@explaining("route53")
def longest_ttl(route53: Route53Client, name: Name) -> int:
    """For how long somebody may still go by what the record says now, in seconds; 0 when it is not there."""
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=name.zone_id)
    here = [
        record.get("TTL", 0)
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Name"].rstrip(".") == name.record
    ]
    return max(here, default=0)


@dataclass(frozen=True)
class Probing:
    """How often the service is asked at each step, over how long a window, and how many bad answers are borne."""

    times: int
    window: timedelta = timedelta(0)
    tolerated: int = 0


def probe(
    resolve: Resolver, record: str, ask: Ask, probing: Probing, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[tuple[str, ...], int]:
    """The addresses that the name gave, each asked, look-ups spread over the window; and how many answered badly.

    Raises what `ask` raises once that is more than is tolerated. A name that cannot be looked up is never borne.
    """
    seen, failed = set(), 0
    for _ in range(probing.times):
        address = resolve(record)
        seen.add(address)
        try:
            ask(address)
        except OnboardingError:
            failed += 1
            if failed > probing.tolerated:
                raise
        if probing.window:
            sleep(probing.window.total_seconds() / probing.times)
    return tuple(sorted(seen)), failed


def ramp(
    route53: Route53Client,
    name: Name,
    steps: Sequence[int],
    *,
    resolve: Resolver,
    ask: Ask,
    probing: Probing,
    arrived: Callable[[StepResult], None] | None = None,
    still_ours: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[StepResult]:
    """The name leads to the target, step by step, as long as the service answers well at each.

    Every probe asks the endpoint that the name gives at that moment; the window begins when the TTL has run out. On
    more bad answers than are tolerated all traffic goes back to the source by itself, and Stop says at which step.
    `still_ours` raises when a later attempt leads the name: nothing is written any more then, not even the way back.
    """
    done: list[StepResult] = []
    for percent in steps:
        began = time.monotonic()
        still_ours()
        set_weights(route53, name, percent)
        sleep(name.ttl_s)
        try:
            seen, failed = probe(resolve, name.record, ask, probing, sleep=sleep)
            _check_sides(resolve, name, percent, seen)
        except Exception as failure:  # whatever went wrong, the public goes back first
            still_ours()
            set_weights(route53, name, 0)
            reason = str(failure) if isinstance(failure, OnboardingError) else repr(failure)
            raise Stop("traffic.breach", where=name.record, percent=percent, reason=reason) from failure
        still_ours()
        step = StepResult(percent, probing.times, failed, seen, round(time.monotonic() - began, 3))
        if arrived is not None:
            arrived(step)
        done.append(step)
    return done


def _check_sides(resolve: Resolver, name: Name, percent: int, seen: Sequence[str]) -> None:
    """At 0 and 100 % every look-up leads to one side. Raises Stop when one led elsewhere."""
    if percent in (0, 100):
        host = name.target_host if percent == 100 else name.source_host
        if any(address != resolve(host) for address in seen):
            raise Stop("traffic.still_elsewhere", where=name.record, percent=percent, seen=", ".join(seen))


def _wait_in_sync(route53: Route53Client, change_id: str) -> None:
    deadline = time.monotonic() + INSYNC_WITHIN_S
    while route53.get_change(Id=change_id)["ChangeInfo"]["Status"] != "INSYNC":
        if time.monotonic() > deadline:
            raise TryAgain("traffic.not_in_sync", where=change_id, seconds=INSYNC_WITHIN_S)
        time.sleep(POLL_S)


def _zone(route53: Route53Client, zone: str) -> dict[str, Any] | None:
    found = route53.list_hosted_zones_by_name(DNSName=zone, MaxItems="1")["HostedZones"]
    if found and found[0]["Name"].rstrip(".") == zone:
        return {"zone": found[0]["Id"]}
    return None
