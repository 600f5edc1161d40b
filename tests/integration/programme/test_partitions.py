"""Airflow counts the live pilots: x of 10 on its own page, a report per event, the goal at the tenth, metrics out."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow_process import ROOT, SAMPLES
from journeys import journey, manifest
from prometheus_client.parser import text_string_to_metric_families

from onboarding.addresses import Database
from onboarding.evidence_kinds import PROGRAMME
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema

TEN = [f"p{n:02}" for n in range(1, 11)]
PROGRAM = Path(__file__).with_name("partitions.py")
WITHIN_S = 300


@dataclass
class Clock:
    now: datetime = datetime(2026, 4, 13, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Listener:
    """A StatsD server's ear: every line that came."""

    ear: socket.socket
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        while (got := self.ear.recv(65536)) != b"end":
            self.lines.extend(got.decode().splitlines())

    def of(self, name: str) -> list[str]:
        return [line.partition(":")[2] for line in self.lines if line.partition(":")[0] == name]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        heard = Listener(ear)
        thread = threading.Thread(target=heard.listen)
        thread.start()
        yield heard
        ear.sendto(b"end", ear.getsockname())
        thread.join()


def folder_of(folder: Path, pilots: list[str]) -> Path:
    """Manifests of these pilots: p02's, under other ids."""
    folder.mkdir(exist_ok=True)
    text = (SAMPLES / "p02.yaml").read_text(encoding="utf-8")
    for pilot in pilots:
        (folder / f"{pilot}.yaml").write_text(text.replace("id: p02\n", f"id: {pilot}\n", 1), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ledger_address(make_database: Any) -> Database:
    owner: Database = make_database("ledger")
    writer = owner.as_user(f"{owner.name}_writer", secrets.token_urlsafe())
    ensure_schema(owner, writer=writer.user, writer_password=writer.password, reader=f"{owner.name}_reader")
    return writer


@pytest.fixture(scope="module")
def environment(
    make_database: Any, ledger_address: Database, listener: Listener, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An Airflow with a metadata database of its own and with `[metrics] statsd_on`."""
    home, metadata = tmp_path_factory.mktemp("home"), make_database("airflow")
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({"platform": secrets.token_urlsafe()}))
    login = f"{metadata.user}:{metadata.password}@{metadata.host}:{metadata.port}/{metadata.name}"
    connection = {
        "conn_type": "postgres", "host": ledger_address.host, "port": ledger_address.port,
        "schema": ledger_address.name, "login": ledger_address.user, "password": ledger_address.password,
    }  # fmt: skip
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(ROOT / "plugins"))),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",  # a changed DAG is kept although one was just kept
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "platform:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{login}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{login}",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(listener.ear.getsockname()[1]),
        "AIRFLOW_CONN_NAMRONG_LEDGER": json.dumps(connection),
    }


def steps(environment: dict[str, str], folder: Path, *asked: str) -> list[Any]:
    """What one Airflow process answers to each step."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *asked], env=environment | {"NAMRONG_PILOTS": str(folder)},
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("[", "{")) or line.isdigit()]
    assert len(answers) == len(asked), done.stdout[-4000:]
    return answers


@pytest.mark.slow
def test_from_the_first_to_the_tenth(
    environment: dict[str, str], ledger_address: Database, listener: Listener, tmp_path: Path
) -> None:
    clock = Clock()
    ledger = Ledger(ledger_address, clock)

    def go_live(*pilots: str) -> str:
        for pilot in pilots:
            journey(ledger, clock, manifest("p02").model_copy(update={"id": pilot}))
        return " ".join(("live", *pilots))

    nine, ten = folder_of(tmp_path / "nine", TEN[:9]), folder_of(tmp_path / "ten", TEN)

    # Two go live while there are nine manifests: Airflow's page says 2 of 9, each has had its report.
    _, _, made, shown, ended = steps(environment, nine, "parse", go_live("p01", "p02"), "turn", "progress", "run")
    assert made == [["report_programme", "p01"], ["report_programme", "p02"]]
    assert shown == [["pending", 2, 9]]
    assert ended == [["report_programme", "p01", "success"], ["report_programme", "p02", "success"]]
    assert [json.loads(one.text)["live"] for one in ledger.records(pilot=PROGRAMME)] == [["p01"], ["p01", "p02"]]

    # A tenth manifest makes Airflow forget them. The next event has them told again, each once.
    answers = steps(environment, ten, "parse", "turn", go_live("p03"), "turn", "run", "turn", "run", "turn", "progress")
    assert answers[3] == [["report_programme", "p03"]]
    assert answers[5] == [["report_programme", "p01"], ["report_programme", "p02"]]
    assert answers[6] == [["report_programme", "p01", "success"], ["report_programme", "p02", "success"]]
    assert answers[7] == []  # and they tell nobody
    assert answers[8] == [["pending", 3, 10]]

    # At the ninth there is no goal; at the tenth there is.
    _, made, shown, ended = steps(environment, ten, go_live(*TEN[3:9]), "turn", "progress", "run")
    assert made == [["report_programme", pilot] for pilot in TEN[3:9]]
    assert shown == [["pending", 9, 10]] and len(ended) == 6
    _, made, shown, ended = steps(environment, ten, go_live("p10"), "turn", "progress", "run")
    assert made == [["reach_goal", "programme"], ["report_programme", "p10"]]
    assert shown == [["queued", 10, 10]]
    assert sorted(ended) == [["reach_goal", "programme", "success"], ["report_programme", "p10", "success"]]
    (reached,) = ledger.records(pilot=PROGRAMME, kind="goal_reached")
    assert (reached.body["live"], reached.body["last"]) == (TEN, "p10")

    # What a StatsD server heard through Airflow's own pipe.
    assert listener.of("airflow.pilots.live")[-1] == "10|g"
    assert listener.of("airflow.pilots.goal")[-1] == "10|g"
    assert listener.of("airflow.pilots.blocked")[-1] == "0|g"
    assert listener.of("airflow.pilots.in_stage.live")[-1] == "10|g"
    times = [float(told.removesuffix("|ms")) for told in listener.of("airflow.pilot.lead_time")]
    assert times == [pytest.approx(420_000, abs=1000)] * 10  # each going live once, told again or not

    # The same to Prometheus, if it has a login; and to StatsD between events, from a process that is no task.
    heard = len(listener.lines)
    answers, _ = steps(environment, ten, "metrics", "steady")
    assert [status for status, _, _ in answers] == [401, 403, 200]
    _, kind, text = answers[2]
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert [one.value for one in families["pilots_live"].samples] == [10]
    assert {one.labels["pilot"] for one in families["pilots_lead_time_seconds"].samples} == set(TEN)
    assert listener.lines[heard:].count("airflow.pilots.live:10|g") >= 2


@pytest.mark.slow
def test_events_that_the_ledger_does_not_know_reach_no_goal(
    environment: dict[str, str], ledger_address: Database, tmp_path: Path
) -> None:
    others = [f"p{n}" for n in range(21, 31)]
    folder = folder_of(tmp_path / "others", others)
    ledger = Ledger(ledger_address)
    before = ledger.head()
    *_, ended = steps(environment, folder, "parse", "turn", " ".join(("live", *others)), "turn", "run")
    assert ended and {state for _, _, state in ended} == {"failed"}
    assert ["reach_goal", "programme", "failed"] in ended
    assert ledger.head() == before
