"""Side effects that happened without an intent, or once more than intended: counted from the cloud's own audit log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onboarding.records import Record

# Calls that leave one more thing behind each time they succeed. What they say a second time is not "the same".
CREATING = re.compile(r"(Create|Run|Restore|Copy|Clone|Import|Allocate|Request|Register|Purchase|Invite|Publish)[A-Z]")

# Calls of that form that do not, each with the reason.
HARMLESS: Mapping[str, str] = {
    "organizations:CreateOrganization": "an organization has one; a second call is refused",
    "s3:CreateMultipartUpload": "leaves nothing until it is completed, and completing replaces the object",
    "s3:CreateSession": "hands out a session",
    "s3:CopyObject": "replaces the object",
    "ec2:CreateTags": "replaces the tag",
    "ec2:CreateRoute": "a route to the same destination is refused",
    "rds:CopyDBParameterGroup": "a second group of the same name is refused",
}


@dataclass(frozen=True)
class Unaccounted:
    """One successful call too many. `why` is "no_intent" or "more_than_intended"."""

    seq: int
    action: str
    account: str
    why: str
    key: str = ""


@dataclass(frozen=True)
class _Intended:
    service: str
    action: str
    account: str
    name: str

    @classmethod
    def of(cls, intent: Record) -> _Intended:
        service, action, account, name = (*intent.subject.split(":", 3), "", "", "")[:4]
        # A request that failed for good is asked anew under "<name>#2": the same thing, one call more.
        return cls(service, action, account, re.sub(r"#[0-9]+$", "", name))

    @property
    def key(self) -> str:
        return f"{self.service}:{self.action}:{self.account}:{self.name}"


def duplicates(audit_entries: Iterable[Mapping[str, Any]], intents: Iterable[Record]) -> list[Unaccounted]:
    """The creating calls that succeeded and that no intent accounts for; empty when effects equal intents.

    A call belongs to the intent `<service>:<Action>:<account or '-'>:<name>` when every part of the name (between
    slashes) is among the call's own parameters. Each intent accounts for one call.
    """
    allowed = Counter(_Intended.of(intent) for intent in intents)
    made: Counter[_Intended] = Counter()
    found = []
    for entry in audit_entries:
        if not _created(entry):
            continue
        belongs = list(_candidates(entry, allowed))
        free = next((intended for intended in belongs if made[intended] < allowed[intended]), None)
        if free is not None:
            made[free] += 1
            continue
        why = "more_than_intended" if belongs else "no_intent"
        action = f"{entry['service']}:{entry['action']}"
        found.append(Unaccounted(entry["seq"], action, entry["account"], why, belongs[0].key if belongs else ""))
    return found


def _created(entry: Mapping[str, Any]) -> bool:
    if entry["error"] or entry["status"] >= 400 or CREATING.match(entry["action"]) is None:
        return False
    return f"{entry['service']}:{entry['action']}" not in HARMLESS


def _candidates(entry: Mapping[str, Any], intended: Iterable[_Intended]) -> Iterator[_Intended]:
    """The intents that this call may be, the longest name first."""
    told = frozenset(_texts(entry["params"]))
    for one in sorted(intended, key=lambda intended: (-len(intended.name), intended.name)):
        if (one.service, one.action) != (entry["service"], entry["action"]):
            continue
        parts = [one.name] if one.name in told else one.name.split("/")
        if one.account in ("-", entry["account"]) and all(part in told for part in parts):
            yield one


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        # a zone is asked for as "a.example" and as "a.example."
        yield str(value).removesuffix(".")
