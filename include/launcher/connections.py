"""What Airflow's tasks are handed by name: connections (with secrets) and variables (without)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from launcher.airflow_config import REGION
from launcher.databases import LEDGER_WRITER
from launcher.people import Person
from onboarding.manifest import Manifest

EMAIL_DOMAIN = "pilots.example"
Address = tuple[str, int]


def own_connections(ledger: Address, passwords: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What belongs to the programme itself: its ledger, and the key of the ExternalIds."""
    yield {
        "conn_id": "namrong_ledger", "conn_type": "postgres", "host": ledger[0], "port": ledger[1],
        "schema": "ledger", "login": LEDGER_WRITER, "password": passwords["ledger_writer"],
    }  # fmt: skip
    yield {
        "conn_id": "namrong_secrets", "conn_type": "generic", "password": passwords["external_id_key"],
        "description": "The key that each pilot's ExternalId is derived from.",
    }  # fmt: skip


def connections(
    manifests: Mapping[str, Manifest],
    ledger: Address,
    passwords: Mapping[str, str],
    cloud: Mapping[str, Any],
    agencies: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """The keyword arguments of each `airflow.models.Connection`; `cloud` and `agencies` are the ready files."""
    yield from own_connections(ledger, passwords)
    yield {
        "conn_id": "namrong_management", "conn_type": "aws", "login": cloud["access_key"],
        "password": cloud["secret_key"], "extra": json.dumps({"region_name": REGION}),
    }  # fmt: skip
    for pilot, manifest in manifests.items():
        if pilot in agencies["pilots"]:
            yield from _agency(manifest, agencies["pilots"][pilot])


def _agency(manifest: Manifest, side: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An agency's database and folder, under the names that its manifest's workloads derive."""
    for database in manifest.databases:
        yield {
            "conn_id": manifest.connection_id(database.name), "conn_type": "postgres",
            "host": side["name"], "port": side["port"], "schema": side["database"],
            "login": side["owner"]["user"], "password": side["owner"]["password"],
            "extra": json.dumps(
                {"service_user": side["service"]["user"], "service_password": side["service"]["password"]}
            ),
        }  # fmt: skip
    for files in manifest.files:
        yield {"conn_id": manifest.connection_id(files.name), **_files(side["files"], side["sftp"])}


def _files(path: str, sftp: Mapping[str, Any] | None) -> dict[str, Any]:
    if sftp is None:
        return {"conn_type": "fs", "extra": json.dumps({"path": path})}
    return {
        "conn_type": "sftp", "port": sftp["port"], "login": sftp["user"], "password": sftp["password"],
        "extra": json.dumps({"host_key": sftp["host_key"]}),
    }  # fmt: skip


def anchor_bucket(cloud: Mapping[str, Any]) -> str:
    """The bucket of the ledger's anchors, in the management account."""
    return f"namrong-anchors-{cloud['management_account']}"


def variables(persons: Sequence[Person], ids: Mapping[str, int], cloud: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`namrong_people`: login -> id (FAB's, as text), name, roles. `namrong_settings`: the programme's plain values."""
    return {
        "namrong_people": people_variable(persons, ids),
        "namrong_settings": {
            "email_domain": EMAIL_DOMAIN,
            "anchor_bucket": anchor_bucket(cloud),
            "sandbox": True,
        },
    }


def people_variable(persons: Sequence[Person], ids: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The people who have a login, by login."""
    return {
        person.login: {"id": str(ids[person.login]), "name": person.name, "roles": list(person.duties)}
        for person in persons
        if person.login in ids
    }
