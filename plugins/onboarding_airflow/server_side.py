"""The same Connections as in tasks, read inside the API server (which has the metadata database)."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from airflow.models.connection import Connection
from airflow.models.variable import Variable

from onboarding.addresses import Database
from onboarding.aws import Cloud, session
from onboarding.ledger import Ledger
from onboarding.look_ups import resolver
from onboarding.stages.pilot import Settings, utc_now
from onboarding_airflow.pilots import LEDGER, MANAGEMENT, SETTINGS


@cache
def ledger() -> Ledger:
    found = Connection.get_connection_from_secrets(LEDGER)
    address = Database(
        host=str(found.host),
        port=int(found.port or 5432),
        name=str(found.schema),
        user=str(found.login),
        password=str(found.password),
        resolve=resolver(os.environ.get("NAMRONG_NAMESERVER")),
    )
    return Ledger(address, utc_now)


@cache
def management() -> Cloud:
    found = Connection.get_connection_from_secrets(MANAGEMENT)
    region = found.extra_dejson.get("region_name") or os.environ["AWS_DEFAULT_REGION"]
    return Cloud(session(found.login, found.password), region)


def settings() -> Settings:
    chosen: dict[str, Any] = json.loads(Variable.get(SETTINGS))
    return Settings(external_id_key="", **chosen)


def evidence_bucket() -> str:
    return settings().anchor_bucket
