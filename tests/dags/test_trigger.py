"""The gate's trigger when the world itself is out of reach: it goes on asking, and ends with words for people."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest

from onboarding_airflow.gates import GateTrigger


def events(deadline_s: float) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        trigger = GateTrigger(pilot_id="p02", gate="soak", run="r", poll_s=0.1, deadline=time.time() + deadline_s)
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections as Airflow reads them, to a port where nothing is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": port,
        "schema": "x",
        "login": "x",
        "password": "x",
    }
    for name, connection in {
        "NAMRONG_LEDGER": database,
        "NAMRONG_MANAGEMENT": {"conn_type": "aws", "login": "x", "password": "x"},
        "NAMRONG_SECRETS": {"conn_type": "generic", "password": "x"},
        "AGENCY_P02_REGISTRY": database | {"extra": {"service_user": "x", "service_password": "x"}},
        "AGENCY_P02_DOCUMENTS": {"conn_type": "fs", "extra": {"path": "nowhere"}},
    }.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
    settings = {"email_domain": "x.example", "anchor_bucket": "x", "sandbox": True}
    monkeypatch.setenv("AIRFLOW_VAR_NAMRONG_SETTINGS", json.dumps(settings))


def test_a_ledger_out_of_reach_is_asked_for_until_the_deadline(nobody_listens: None) -> None:
    began = time.monotonic()
    (told,) = events(1.0)
    assert time.monotonic() - began >= 1.0
    assert told["answer"] == "fail"
    assert "→" in told["en"] and "→" in told["th"] and told["en"] != told["th"]


def test_a_deployment_without_its_connections_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    (told,) = events(3600.0)
    assert time.monotonic() - began < 60
    assert told["answer"] == "fail" and "→" in told["th"]
