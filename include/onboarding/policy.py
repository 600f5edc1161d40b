"""Whether a pilot may go to the cloud at all: data classification, region, personal-data duties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import BaseModel, ConfigDict

from onboarding.databases.assess import TargetOffers
from onboarding.manifest import DataClass, Manifest
from onboarding.observations import Answer, Observation, judged

POLICY_FILE = Path(__file__).resolve().parent.parent / "policies" / "classification.yaml"

RDS_FILE = POLICY_FILE.with_name("rds_postgres.yaml")


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    classifications: tuple[str, ...] = ()
    impacts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    needs_named_approver: bool = False
    source: str
    checked: date


class Policy(BaseModel):
    """The dated table of rules; `version` goes into every decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    hard_stop: _Rule
    sovereign: _Rule
    personal: _Rule
    regions: _Rule


class Classified(Protocol):
    """What the rules look at: a pilot's manifest, or a candidate before it has one."""

    @property
    def data(self) -> DataClass: ...
    @property
    def region(self) -> str: ...


def load_policy(path: Path = POLICY_FILE) -> Policy:
    """The table as the file has it now: the triggerer lives longer than a file stays the same."""
    seen = path.stat()
    return _policy(path, (seen.st_mtime_ns, seen.st_size, seen.st_ino))


@lru_cache(maxsize=4)
def _policy(path: Path, as_of: object) -> Policy:  # noqa: ARG001  (what the file looked like)
    return Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def rds_offers(major: int, path: Path = RDS_FILE) -> TargetOffers:
    """What RDS for PostgreSQL takes by the dated table, for a time when no instance can be asked yet."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return TargetOffers(major, frozenset(name for line in table["extensions"] for name in line), bool(table["icu"]))


def observe_policy(manifest: Classified, policy: Policy, now: datetime) -> list[Observation]:
    """One observation per rule that speaks about this service; it may move when all pass."""
    return list(_observations(manifest, policy, now))


def _observations(manifest: Classified, policy: Policy, now: datetime) -> Iterator[Observation]:
    data = manifest.data
    stopped = data.classification in policy.hard_stop.classifications
    yield _rule("policy.classification", data.classification, "may leave the agency", not stopped, policy, now)
    regions = set(policy.regions.allowed)
    if data.classification in policy.sovereign.classifications or data.impact in policy.sovereign.impacts:
        regions &= set(policy.sovereign.regions)
        if policy.sovereign.needs_named_approver:
            named = data.named_approver is not None
            yield _rule("policy.named_approver", data.named_approver, "a name", named, policy, now)
    if data.classification in policy.personal.classifications:
        regions &= set(policy.personal.regions)
        duties = data.personal is not None
        yield _rule("policy.personal_duties", duties, "the four duties", duties, policy, now)
    yield _rule("policy.region", manifest.region, sorted(regions), manifest.region in regions, policy, now)


def _rule(check: str, observed: object, expected: object, holds: bool, policy: Policy, now: datetime) -> Observation:
    answer = Answer.PASS if holds else Answer.FAIL
    return Observation(check, answer, observed, expected, now, check, {"found": observed, "version": policy.version})


def observe_request(manifest: Manifest, now: datetime) -> Observation:
    """Pass when the pilot came through the government cloud: number, approver and network path are there."""
    request = manifest.request
    return judged(
        "request.government_cloud",
        None if request is None else request.number,
        "a request number, its approver and the network path" if request is None else request.number,
        now,
        why="policy.request",
    )
