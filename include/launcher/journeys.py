"""What a finished run left, opened from outside Airflow: the ledger, the proof of it, and pilots to verify anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from launcher.checkout import Checkout
from launcher.components import read
from launcher.connections import EMAIL_DOMAIN, anchor_bucket
from launcher.databases import LEDGER_WRITER
from onboarding.addresses import Database
from onboarding.aws import Cloud, session
from onboarding.evidence import Anchor, read_anchors
from onboarding.files_access import FilesAccess, place_of
from onboarding.ledger import Ledger
from onboarding.look_ups import resolver
from onboarding.manifest import Manifest
from onboarding.stages.pilot import Login, Pilot, Settings


class RunningCheckout:
    """A checkout in which everything is up."""

    def __init__(self, checkout: Checkout) -> None:
        self.cloud = read(checkout.run / "sandbox.json")
        self._agencies = read(checkout.run / "agencies.json")["pilots"]
        self._secrets = checkout.secrets()
        home = read(checkout.run / "home_database.json")
        address = Database(home["host"], home["port"], "ledger", LEDGER_WRITER, self._secrets["ledger_writer"])
        self.ledger = Ledger(address)
        keys = session(self.cloud["access_key"], self.cloud["secret_key"])
        self.management = Cloud(keys, self.cloud["region"], self.cloud["aws_endpoint_url"])
        self.bucket = anchor_bucket(self.cloud)

    def anchors(self) -> list[Anchor]:
        """What outside the ledger vouches for it; none before the first gate made the bucket."""
        s3 = self.management.client("s3")
        there = self.bucket in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        return read_anchors(s3, self.bucket) if there else []

    def audit_entries(self) -> list[dict[str, Any]]:
        """What the sandbox itself wrote down of every changing call."""
        headers = {"X-Sandbox-Token": self.cloud["token"]}
        with urlopen(Request(f"{self.cloud['endpoint']}/_sandbox/audit", headers=headers), timeout=60) as answer:
            entries: list[dict[str, Any]] = json.load(answer)["entries"]
        return entries

    def program(self, pilot: str) -> Path | None:
        """The folder of the program that uses the pilot's service all day long; None when nobody does."""
        folder = self._agencies[pilot].get("program") or None
        return None if folder is None else Path(folder)

    def pilot(self, manifest: Manifest, manifests: Mapping[str, Manifest]) -> Pilot:
        """One pilot with its two sides, for the verifier."""
        side = self._agencies[manifest.id]
        resolve = resolver(self.cloud["nameserver"])
        owner, service = side["owner"], side["service"]
        source = Database(side["name"], side["port"], side["database"], owner["user"], owner["password"], resolve)
        return Pilot(
            manifest=manifest,
            others=tuple(other for other in manifests.values() if other.id != manifest.id),
            ledger=self.ledger,
            management=self.management,
            settings=Settings(EMAIL_DOMAIN, self.bucket, self._secrets["external_id_key"], sandbox=True),
            resolve=resolve,
            sources={workload.name: source for workload in manifest.databases},
            services={workload.name: Login(service["user"], service["password"]) for workload in manifest.databases},
            folders={
                workload.name: place_of(workload, files_access(side), manifest.region, resolve)
                for workload in manifest.files
            },
            run="report",
            own_names=True,
        )


def files_access(side: Mapping[str, Any]) -> FilesAccess:
    """How the files of one agency are reached, by the agencies' ready file."""
    sftp = side["sftp"]
    if sftp is None:
        return FilesAccess(path=side["files"])
    return FilesAccess(user=sftp["user"], password=sftp["password"], host_key=sftp["host_key"], port=sftp["port"])
