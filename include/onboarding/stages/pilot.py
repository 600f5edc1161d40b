"""One pilot with everything its journey needs: handed in, so that a stage never looks for its own clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from onboarding import accounts
from onboarding.addresses import Database
from onboarding.aws import Cloud
from onboarding.baseline import roles
from onboarding.ledger import Ledger
from onboarding.look_ups import Resolver
from onboarding.manifest import DatabaseWorkload, Manifest
from onboarding.manifest_files import FilesWorkload
from onboarding.places import Place
from onboarding.reconcile.pseudonyms import Pseudonyms

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Settings:
    """What the programme decided once, for every pilot.

    `external_id_key` is secret: each pilot's ExternalId and pseudonyms are derived from it; it is stored nowhere.
    """

    email_domain: str
    anchor_bucket: str
    external_id_key: str = field(repr=False)
    sandbox: bool = False
    retain_days: int = 365


@dataclass(frozen=True)
class Login:
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Pilot:
    """`sources`, `services` and `folders` are keyed by workload name; `others` are the other pilots' manifests.

    `own_names`: `resolve` asks a name server of our own, which the databases' servers do not.
    """

    manifest: Manifest
    others: tuple[Manifest, ...]
    ledger: Ledger
    management: Cloud
    settings: Settings
    resolve: Resolver
    sources: Mapping[str, Database]
    services: Mapping[str, Login]
    folders: Mapping[str, Place]
    run: str = ""
    requester: str = ""
    clock: Clock = utc_now
    own_names: bool = False

    @property
    def id(self) -> str:
        return self.manifest.id

    def once(self, key: str, action: str, request: Mapping[str, Any], **how: Any) -> Mapping[str, Any]:
        """A side effect that happens once, bound to this pilot: see `Ledger.once`."""
        return self.ledger.once(self.id, key, action, request, run=self.run, **how)

    def record(self, kind: str, subject: str, body: Mapping[str, Any]) -> None:
        """Leave evidence under this pilot's id and run."""
        self.ledger.record(self.id, kind, subject, body, run=self.run)

    @cached_property
    def account_id(self) -> str:
        """The pilot's AWS account. Raises when it has none yet."""
        organizations = self.management.client("organizations")
        return accounts.account_id_of(organizations, self.manifest, self.settings.email_domain)

    @cached_property
    def external_id(self) -> str:
        return roles.external_id(self.settings.external_id_key, self.id)

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What rows and files of this pilot are called in the ledger, which forgets nothing."""
        return Pseudonyms.derived(self.settings.external_id_key, self.id)

    @cached_property
    def cloud(self) -> Cloud:
        """The pilot's own account, through the onboarding role and its ExternalId."""
        return roles.onboarding_cloud(self.management, self.account_id, self.external_id, self.manifest.region)

    def database_workload(self, name: str) -> DatabaseWorkload:
        return next(workload for workload in self.manifest.databases if workload.name == name)

    def files_workload(self, name: str) -> FilesWorkload:
        return next(workload for workload in self.manifest.files if workload.name == name)
