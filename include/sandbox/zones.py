"""Hosted zones and their changes: what the owner has said, and since when the world hears it."""

from __future__ import annotations

import functools
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.dns import Key, Record, Zone
from sandbox.state import AwsError, Call, SandboxState

NAMESERVERS = tuple(f"ns-{number}.sandbox.example." for number in (1, 2, 3, 4))


@dataclass
class HostedZone:
    """A zone as its owner sees it: `records` with every accepted change, `version` counts them."""

    account: str
    id: str
    name: str
    reference: str
    config: Mapping[str, Any]
    vpcs: list[dict[str, str]]
    records: dict[Key, Record]
    version: int = 0
    in_sync: int = 0
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A change of one zone, in sync once the zone has published `version`."""

    account: str
    id: str
    zone: HostedZone
    version: int
    submitted: datetime
    comment: str


class Route53:
    """All accounts' zones. Hold `state.lock` to change them."""

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.zones: dict[str, HostedZone] = {}
        self.changes: dict[str, Change] = {}

    def zone(self, call: Call, named: str) -> HostedZone:
        """The caller's zone of that id."""
        found = self.zones.get(bare(named))
        if found is None or found.account != call.account:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {bare(named)}", 404)
        return found

    def submit(self, zone: HostedZone, comment: str = "") -> dict[str, Any]:
        """Publishes the zone's records as they are now, after a while. Hold the lock."""
        zone.version += 1
        change = Change(zone.account, new_id("C"), zone, zone.version, self.state.now(), comment)
        self.changes[change.id] = change
        publish = functools.partial(self._publish, zone, zone.version, dict(zone.records))
        self.state.schedule(self.state.settings.seconds_to_insync, publish)
        return told_change(change)

    def _publish(self, zone: HostedZone, version: int, answers: Mapping[Key, Record]) -> None:
        with self.state.lock:
            if version <= zone.in_sync:
                return  # a later change was faster
            zone.in_sync = version
            if zone.id in self.zones:
                self.state.zones[zone.id] = Zone(zone.name, answers)
            else:
                self.state.zones.pop(zone.id, None)


def told(zone: HostedZone) -> dict[str, Any]:
    """Members of HostedZone."""
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.name + ".",
        "CallerReference": zone.reference,
        "Config": dict(zone.config),
        "ResourceRecordSetCount": len(zone.records),
    }


def delegation() -> dict[str, Any]:
    """Members of DelegationSet."""
    return {"NameServers": [name.rstrip(".") for name in NAMESERVERS]}


def told_change(change: Change) -> dict[str, Any]:
    """Members of ChangeInfo."""
    told: dict[str, Any] = {"Id": f"/change/{change.id}", "SubmittedAt": change.submitted}
    told["Status"] = "INSYNC" if change.zone.in_sync >= change.version else "PENDING"
    return told | ({"Comment": change.comment} if change.comment else {})


def new_id(letter: str) -> str:
    """An id in AWS's form."""
    return letter + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(20))


def bare(named: str) -> str:
    """An id without the path that AWS puts before it."""
    return named.rpartition("/")[2]
