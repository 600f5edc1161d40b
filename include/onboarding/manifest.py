"""What a pilot asks for: one service, described by one YAML file."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from datetime import date, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

PILOT_ID = r"p[0-9]{2,4}"


def _ascii_name(pattern: str) -> object:
    """Text that matches in ASCII: Thai digits and look-alikes are refused."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"does not match {pattern} (ASCII only)")
        return value

    return AfterValidator(check)


PilotId = Annotated[str, _ascii_name(PILOT_ID)]
Slug = Annotated[str, _ascii_name(r"[a-z][a-z0-9_]{0,30}")]
Login = Annotated[str, _ascii_name(r"[a-z][a-z0-9_.-]{0,62}")]
DomainName = Annotated[str, _ascii_name(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")]
Region = Annotated[str, _ascii_name(r"[a-z]{2}-[a-z]+-[0-9]")]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\r\n\x00-\x1f]+$")
]
Identifier = Annotated[str, AfterValidator(lambda name: _identifier(name))]
Level = Literal["low", "moderate", "high"]

IDENTIFIER_BYTES = 63


def _identifier(name: str) -> str:
    """A PostgreSQL name by its bytes (chapter 4.1.1): quoted always, but never cut and never a second statement."""
    if not 1 <= len(name.encode()) <= IDENTIFIER_BYTES:
        raise ValueError(f"is {len(name.encode())} bytes; PostgreSQL cuts names at {IDENTIFIER_BYTES}")
    if re.search(r"[\x00-\x1f\"';\\＂＇；]|--|/\*", name):
        raise ValueError("holds a quote, a semicolon, a comment or a control character")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Bilingual(_Part):
    th: Line
    en: Line


class Agency(_Part):
    """`id` is ASCII and goes to AWS; the names stay in tags' transliteration and the ledger."""

    id: Slug
    name: Bilingual
    owner: Login


class CloudRequest(_Part):
    """The government-cloud (GDCC) request that the pilot came through."""

    number: Line
    approver: Line
    network_path: Literal["gin", "vpn", "direct_connect", "public"]
    received: date


class PersonalData(_Part):
    """What the Personal Data Protection Act asks for before personal data moves."""

    processor_agreement: Line
    record_of_processing: Line
    data_protection_contact: Line
    breach_contact_72h: Line


class DataClass(_Part):
    classification: Literal["open", "internal", "personal", "secret", "very_secret", "most_secret"]
    confidentiality: Level
    integrity: Level
    availability: Level
    personal: PersonalData | None = None
    named_approver: Line | None = None

    @property
    def impact(self) -> Level:
        """The highest of the three."""
        order: tuple[Level, ...] = ("low", "moderate", "high")
        return max(self.confidentiality, self.integrity, self.availability, key=order.index)


class Account(_Part):
    environment: Literal["prod", "nonprod"] = "prod"
    unit: Slug
    monthly_budget_usd: Annotated[int, Field(gt=0, le=10_000_000)]


class GoldenQuery(_Part):
    """A question whose answer the agency signed: it must come out the same on both sides."""

    name: Slug
    sql: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    signed_by: Line


class Expectation(_Part):
    """One Great Expectations expectation, by its class name; asked of source and target alike."""

    table: Identifier
    schema_name: Identifier = Field("public", alias="schema")
    expect: Annotated[str, _ascii_name(r"Expect[A-Za-z]{1,80}")]
    with_: dict[str, object] = Field(default_factory=dict, alias="with")
    personal: bool = False


class RdsTarget(_Part):
    instance_class: Annotated[str, _ascii_name(r"db\.[a-z0-9]+\.[a-z0-9]+")]
    storage_gib: Annotated[int, Field(ge=20, le=65_536)]


class DatabaseWorkload(_Part):
    """A PostgreSQL database. Its login is the Airflow connection `agency_<pilot>_<name>`."""

    name: Slug
    engine: Literal["copy"]
    service_role: Identifier
    target: RdsTarget
    shards: Annotated[int, Field(ge=1, le=16)] = 4
    golden: tuple[GoldenQuery, ...] = ()
    expectations: tuple[Expectation, ...] = ()


class FilesWorkload(_Part):
    """A folder of files. Its root is the Airflow connection `agency_<pilot>_<name>` (extra `path`)."""

    name: Slug
    engine: Literal["upload"]
    batches: Annotated[int, Field(ge=1, le=16)] = 2


class Window(_Part):
    """When a cutover may run, in Asia/Bangkok; it must end, way back included, before `closes`."""

    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    opens: time
    closes: time
    on_holidays: bool = False
    blackout: tuple[date, ...] = ()


class Traffic(_Part):
    """How the service's name moves. `record` is what the public's programs look up."""

    mode: Literal["route53"]
    zone: DomainName
    record: DomainName
    ttl_s: Annotated[int, Field(ge=1, le=86_400)]
    ramp: tuple[Annotated[int, Field(ge=0, le=100)], ...] = (0, 10, 50, 100)
    step: timedelta
    probes: Annotated[int, Field(ge=1, le=1_000)] = 5

    @model_validator(mode="after")
    def _record_in_zone(self) -> Self:
        if not self.record.endswith(f".{self.zone}"):
            raise ValueError(f"record {self.record} does not lie in zone {self.zone}")
        if self.ramp[0] != 0 or self.ramp[-1] != 100 or list(self.ramp) != sorted(set(self.ramp)):
            raise ValueError("ramp rises from 0 to 100")
        return self


class Cutover(_Part):
    window: Window
    freeze_budget: timedelta
    traffic: Traffic


class Waiver(_Part):
    """Somebody took a critical readiness finding upon themselves, until a day."""

    finding: Line
    by: Line
    reason: Line
    expires: date


class Manifest(_Part):
    """One pilot. Times are ISO-8601; dates are Gregorian (C.E.): a Buddhist-Era year is refused."""

    id: PilotId
    fictional: bool
    compressed: bool = Field(False, description="Windows, soak, TTL and freshness are shortened for a demonstration.")
    name: Bilingual
    agency: Agency
    request: CloudRequest | None = None
    requested_by: Login
    approvers: Annotated[tuple[Login, ...], Field(min_length=2)]
    data: DataClass
    region: Region
    account: Account
    network_cidr: ipaddress.IPv4Network
    databases: tuple[DatabaseWorkload, ...] = ()
    files: tuple[FilesWorkload, ...] = ()
    cutover: Cutover
    soak: timedelta
    evidence_fresh_for: timedelta
    waivers: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _workload_names_are_unique(self) -> Self:
        names = [workload.name for workload in self.databases] + [workload.name for workload in self.files]
        if not names:
            raise ValueError("a pilot moves at least one workload")
        if len(names) != len(set(names)):
            raise ValueError("two workloads share a name")
        return self

    @property
    def dag_id(self) -> str:
        return f"onboard_{self.id}"

    def connection_id(self, workload: str) -> str:
        """The Airflow connection of a source: derived, so that no manifest can name another pilot's."""
        return f"agency_{self.id}_{workload}"

    def digest(self) -> str:
        """SHA-256 (hex) of the manifest's content; comments and key order do not count."""
        content = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()
