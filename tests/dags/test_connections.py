"""What the launcher writes down for Airflow, as the tasks read it: where a pilot's files are, and with which login."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow_process import SAMPLES, airflow_process, answer_of

from launcher.connections import connections, variables
from onboarding.manifests import load_folder

CLOUD = {"access_key": "AKIA", "secret_key": "secret", "management_account": "111122223333"}
LOGIN = {"user": "u", "password": "p"}
SFTP = {"port": 2022, "user": "transfer", "password": "ความลับ", "host_key": "ssh-ed25519 AAAA"}


@pytest.mark.parametrize(
    ("pilot", "sftp", "place", "secret"),
    [
        ("p02", None, "/srv/p02/documents", []),
        ("p11", SFTP, "sftp://transfer@db.p11.agency.example:2022/charters", [SFTP["password"], SFTP["host_key"]]),
    ],
)
def test_a_pilots_files_are_where_its_manifest_and_its_connection_say(
    pilot: str, sftp: dict[str, Any] | None, place: str, secret: list[str]
) -> None:
    side = {
        "name": "db", "port": 5432, "database": "d", "owner": LOGIN, "service": LOGIN,
        "files": f"/srv/{pilot}/documents", "sftp": sftp,
    }  # fmt: skip
    passwords = {"ledger_writer": "w", "external_id_key": "k"}
    made = connections(load_folder(SAMPLES).manifests, ("ledger", 5432), passwords, CLOUD, {"pilots": {pilot: side}})
    environment = {f"AIRFLOW_CONN_{one.pop('conn_id').upper()}": json.dumps(one) for one in made}
    environment |= {
        f"AIRFLOW_VAR_{name.upper()}": json.dumps(value) for name, value in variables((), {}, CLOUD).items()
    }
    process = airflow_process([str(Path(__file__).with_name("open_pilot.py")), pilot], **environment)
    (told,) = answer_of(process)
    assert (told["place"], told["secret"]) == (place, secret)
