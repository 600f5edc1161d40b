"""What a cutover asks of AWS, on paper: a folder of JSON files that outlives whoever is killed.

Route 53 holds weighted records, and an agency's own zone one that a person changes; RDS tells where instances are;
Secrets Manager knows one password for all of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Paper:
    """Named documents in a folder, each replaced in one step."""

    folder: Path

    def read(self, name: str) -> Any:
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else {}

    def write(self, name: str, content: Any) -> None:
        beside = self.folder / f"{name}.new"
        beside.write_text(json.dumps(content))
        beside.replace(self.folder / name)


@dataclass(frozen=True)
class PaperRoute53:
    paper: Paper

    def list_hosted_zones_by_name(self, **_: Any) -> dict[str, Any]:
        zone = self.paper.read("zone")
        return {"HostedZones": [zone] if zone else []}

    def create_hosted_zone(self, Name: str, CallerReference: str) -> dict[str, Any]:
        self.paper.write("zone", {"Id": "Z1", "Name": f"{Name}."})
        return {"HostedZone": self.paper.read("zone")}

    def change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: Any) -> dict[str, Any]:
        records = self.paper.read("records")
        for change in ChangeBatch["Changes"]:
            one = change["ResourceRecordSet"]
            records.setdefault(one["Name"], {})[one["SetIdentifier"]] = one
        self.paper.write("records", records)
        return {"ChangeInfo": {"Id": "C1", "Status": "INSYNC"}}

    def get_change(self, Id: str) -> dict[str, Any]:
        return {"ChangeInfo": {"Id": Id, "Status": "INSYNC"}}

    def get_paginator(self, _: str) -> PaperRoute53:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [
            {"ResourceRecordSets": [one for sides in self.paper.read("records").values() for one in sides.values()]}
        ]


@dataclass(frozen=True)
class PaperRds:
    paper: Paper

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        return {"DBInstances": [self.paper.read("instances")[DBInstanceIdentifier]]}

    def delete_db_instance(self, DBInstanceIdentifier: str, **_: Any) -> None:
        found = self.paper.read("instances")
        found[DBInstanceIdentifier]["DBInstanceStatus"] = "deleting"
        self.paper.write("instances", found)

    class exceptions:
        class DBInstanceNotFoundFault(Exception):
            pass


@dataclass(frozen=True)
class PaperSecrets:
    paper: Paper

    def get_secret_value(self, SecretId: str) -> Mapping[str, str]:
        return {"SecretString": self.paper.read("secret")}


@dataclass(frozen=True)
class PaperCloud:
    """Stands where `onboarding.aws.Cloud` does."""

    paper: Paper

    def client(self, service: str, region: str | None = None) -> Any:
        kinds: dict[str, Any] = {"route53": PaperRoute53, "rds": PaperRds, "secretsmanager": PaperSecrets}
        kinds["s3"] = lambda _: None  # there are no files
        return kinds[service](self.paper)

    def resolve(self, host: str) -> str:
        """An address for a host name: of the records, one side by its weight."""
        sides = self.paper.read("records").get(host)
        if sides is None:
            return str(self.paper.read("own_zone").get(host, host))
        weights = [one["Weight"] for one in sides.values()]
        return str(random.choices(list(sides.values()), weights)[0]["ResourceRecords"][0]["Value"])

    def turn(self, record: str, host: str) -> None:
        """A person at the agency leads the record there."""
        self.paper.write("own_zone", self.paper.read("own_zone") | {record: host})

    def leads_to(self, record: str) -> dict[str, int]:
        return {side: one["Weight"] for side, one in self.paper.read("records").get(record, {}).items()}
