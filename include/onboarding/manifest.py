"""What a pilot asks for: one service, described by one YAML file.

The text below a field is its description in docs/manifest.md and docs/manifest.schema.json (`./namrong docs`).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from onboarding.manifest_files import FilesWorkload
from onboarding.manifest_types import (
    DomainName,
    Duration,
    ExpectationName,
    Hour,
    Identifier,
    InstanceClass,
    Level,
    Line,
    Login,
    Part,
    PilotId,
    Region,
    Slug,
    Url,
)


class Bilingual(Part):
    """The same in Thai and in English."""

    th: Line
    en: Line


class Agency(Part):
    """The agency whose service it is."""

    id: Slug
    """Goes into the AWS account's name and tags, so ASCII."""
    name: Bilingual
    owner: Login
    """The agency owner's login. For people: what a login may see hangs on its role `AgencyOwner_<pilot>`."""


class CloudRequest(Part):
    """The government-cloud (GDCC) request that the pilot came through."""

    number: Line
    approver: Line
    """Who approved it there."""
    network_path: Literal["gin", "vpn", "direct_connect", "public"]
    """How the source is reached."""
    received: date
    """Gregorian, e.g. 2026-10-05."""


class PersonalData(Part):
    """What the Personal Data Protection Act asks for before personal data moves."""

    processor_agreement: Line
    record_of_processing: Line
    data_protection_contact: Line
    breach_contact_72h: Line


class DataClass(Part):
    """Data classification and impact; what follows from them stands in include/policies/classification.yaml."""

    classification: Literal["open", "internal", "personal", "secret", "very_secret", "most_secret"]
    confidentiality: Level
    integrity: Level
    availability: Level
    personal: PersonalData | None = None
    """Needed when the classification is `personal`."""
    named_approver: Line | None = None
    """Needed when the classification is `secret`, or the highest impact is `high`."""

    @property
    def impact(self) -> Level:
        """The highest of the three."""
        order: tuple[Level, ...] = ("low", "moderate", "high")
        return max(self.confidentiality, self.integrity, self.availability, key=order.index)


class Account(Part):
    """The AWS account that is made or adopted for this pilot alone."""

    environment: Literal["prod", "nonprod"] = "prod"
    """Part of the account's name and e-mail."""
    unit: Slug
    """Organizational unit below the root that the account is put in; made when it is missing."""
    monthly_budget_usd: Annotated[int, Field(gt=0, le=10_000_000)]
    """Of the account's AWS Budget. It warns; it stops nothing."""


class GoldenQuery(Part):
    """A question whose answer the agency signed: it must come out the same on both sides."""

    name: Slug
    sql: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    """One query that only reads. The first one of the first database is also the health probe of the cutover."""
    signed_by: Line


class Expectation(Part):
    """One Great Expectations expectation, by its class name; asked of source and target alike."""

    table: Identifier
    schema_name: Identifier = Field("public", alias="schema")
    """The table's PostgreSQL schema."""
    expect: ExpectationName
    """E.g. ExpectColumnValuesToNotBeNull."""
    with_: dict[str, object] = Field(default_factory=dict, alias="with")
    """The expectation's own settings, e.g. `{column: name}`. Those that would bring rows into a report are refused."""
    personal: bool = False
    """Whether the column holds personal data: then the report does not say how many rows miss it."""


class RdsTarget(Part):
    """The RDS instance that a database moves to."""

    instance_class: InstanceClass
    """E.g. db.t4g.medium."""
    storage_gib: Annotated[int, Field(ge=20, le=65_536)]


class DatabaseWorkload(Part):
    """A PostgreSQL database. Its login is the Airflow connection `agency_<pilot>_<name>`."""

    name: Slug
    engine: Literal["copy", "follow"]
    """`copy`: writes stop for the last load. `follow`: the service goes on writing, PostgreSQL's own replication keeps
    the target alike, and writes stop for seconds; the way back loses nothing (docs/follow.md)."""
    service_role: Identifier
    """The role that the service logs in with at the source: the one whose writes a freeze refuses."""
    target: RdsTarget
    shards: Annotated[int, Field(ge=1, le=16)] = 4
    """Mapped tasks that copy rows at the same time, at most."""
    source_streams: Annotated[int, Field(ge=1, le=64)] | None = None
    """Tasks that copy rows from this database's server at the same time, at most, whatever pilots and databases they
    are of: for a server that several services share, or that bears little beside its service. None: `shards` alone."""
    whole_rows: bool = False
    """`follow`: tables without a key may be set to tell of a change by the whole old row (`REPLICA IDENTITY FULL`, a
    change at the source). Without it, such a table is a critical finding."""
    golden: tuple[GoldenQuery, ...] = ()
    expectations: tuple[Expectation, ...] = ()


class Window(Part):
    """When a cutover may run, in Asia/Bangkok; it must end, way back included, before `closes`."""

    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    """Days on which a window may open."""
    opens: Hour
    """E.g. "22:00" (quoted)."""
    closes: Hour
    """Not later than `opens` means the next day: "00:00" to "00:00" is the whole day."""
    on_holidays: bool = False
    """Whether it opens on Thailand's public holidays (Python library `holidays`)."""
    blackout: tuple[date, ...] = ()
    """Further days on which it does not open."""


class Traffic(Part):
    """How the service's name moves."""

    mode: Literal["route53", "manual"]
    """`manual`: the zone is not in Route 53, as most of `.go.th`. A person of the agency changes the record in the
    night, when asked, and look-ups prove it; there is no `zone`, no `ramp` and no `reads` then."""
    zone: DomainName | None = None
    """Hosted zone in the pilot's own account; made when it is missing."""
    record: DomainName
    """What the public's programs look up; lies in `zone`."""
    change_within: Duration | None = None
    """`manual`: how long the agency says it needs to change the record; planned for, under the freeze."""
    reads: DomainName | None = None
    """`follow`: what programs look up that only read; lies in `zone`. It is led to the follower step by step before the
    freeze; `record`, the writers' name, moves in one step. Without it only `record` moves."""
    ttl_s: Annotated[int, Field(ge=1, le=86_400)]
    ramp: tuple[Annotated[int, Field(ge=0, le=100)], ...] = (0, 10, 50, 100)
    """Per cent of look-ups that go to the target, step by step: of `record` with `copy`, of `reads` with `follow`."""
    step: Duration
    """How long each step is held."""
    probes: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Health probes at each step, spread over `step`: the service's first golden query, with its own login."""
    health_url: Url | None = None
    """A page that must answer with 2xx besides, at every probe and as long as the service is watched: no redirect, no
    login, within 10 seconds. If its host is `record` or `reads`, the address that the name gave is the one asked; a
    front end of its own, which looks the name up by itself, is asked where it is. https needs a certificate that this
    machine trusts (`SSL_CERT_FILE`)."""
    tolerated: Annotated[int, Field(ge=0, le=999)] = 0
    """The error budget: how many probes of a step may be answered badly; one more, and all goes back by itself."""

    @model_validator(mode="after")
    def _record_in_zone(self) -> Self:
        for name in filter(None, (self.record, self.reads)):
            if self.zone is not None and not name.endswith(f".{self.zone}"):
                raise ValueError(f"record {name} does not lie in zone {self.zone}")
        if self.reads == self.record:
            raise ValueError(f"reads and writes share the name {self.record}: two databases would take writes")
        if self.ramp[0] != 0 or self.ramp[-1] != 100 or list(self.ramp) != sorted(set(self.ramp)):
            raise ValueError("ramp rises from 0 to 100")
        return self

    @model_validator(mode="after")
    def _budget_of_its_probes(self) -> Self:
        if self.tolerated >= self.probes:
            raise ValueError(f"{self.tolerated} of {self.probes} probes tolerated: no answer would ever be bad enough")
        return self

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        if self.mode == "route53" and (self.zone is None or self.change_within is not None):
            raise ValueError("mode route53 needs `zone`, and no `change_within`: nobody is waited for")
        if self.mode == "manual":
            if self.change_within is None:
                raise ValueError("mode manual needs `change_within`: how long the agency needs to change the record")
            if self.zone is not None or self.reads is not None or "ramp" in self.model_fields_set:
                raise ValueError("mode manual has no `zone`, `reads` or `ramp`: a person changes one record, once")
        return self


class Cutover(Part):
    """The night on which the service moves."""

    window: Window
    freeze_budget: Duration
    """The longest freeze that was agreed with the agency; the rehearsal must fit."""
    traffic: Traffic


class Waiver(Part):
    """Somebody took a critical readiness finding upon themselves, until a day."""

    finding: Line
    """The finding's id, e.g. `other_writer`, or `id:where` for one place only."""
    by: Line
    reason: Line
    expires: date
    """The last day on which it counts (Asia/Bangkok)."""


class Manifest(Part):
    """One pilot. Times are ISO-8601; dates are Gregorian (C.E.): a Buddhist-Era year is refused."""

    id: PilotId
    fictional: bool
    """Whether agency and service are made up; shown as the DAG's tag สมมติ."""
    compressed: bool = False
    """Windows, soak, TTL and freshness are shortened for a demonstration."""
    name: Bilingual
    agency: Agency
    request: CloudRequest | None = None
    """Without it the gate `intake` stays shut."""
    requested_by: Login
    """For people: the requester that counts is the login that triggered the run."""
    approvers: Annotated[tuple[Login, ...], Field(min_length=2)]
    """Who may be asked for go or no-go; two different ones must approve, neither of them the requester."""
    data: DataClass
    region: Region
    """AWS region of everything that is made for the pilot."""
    account: Account
    network_cidr: ipaddress.IPv4Network
    """Of the pilot's network; overlaps with no other pilot's."""
    databases: tuple[DatabaseWorkload, ...] = ()
    files: tuple[FilesWorkload, ...] = ()
    cutover: Cutover
    soak: Duration
    """How long the service must answer well on the target before the pilot is live."""
    evidence_fresh_for: Duration
    """How old evidence and approvals may be when a gate, or the freeze, counts on them."""
    waivers: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _workload_names_are_unique(self) -> Self:
        names = [workload.name for workload in self.databases] + [workload.name for workload in self.files]
        if not self.databases:
            raise ValueError("a pilot moves at least one database: the service's name leads to it")
        if len(names) != len(set(names)):
            raise ValueError("two workloads share a name")
        if len({workload.engine for workload in self.databases}) > 1:
            raise ValueError("databases move by one engine: they are frozen, proven and switched in one night")
        if self.cutover.traffic.reads and not self.follows:
            raise ValueError("with `copy` the target takes no reads before the freeze: leave `reads` out")
        return self

    @property
    def follows(self) -> bool:
        """Whether its databases are followed (`follow`), not loaded again under the freeze (`copy`)."""
        return self.databases[0].engine == "follow"

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
