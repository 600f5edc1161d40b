"""Server time of the programme view at 100 pilots and 100,000 ledger records: `PYTHONPATH=include:plugins:tests`.

    .namrong/venv/bin/python benchmarks/programme_view.py [--pilots 100] [--records 100000]

Prints one line of JSON, milliseconds: `first` is the first answer of a fresh process (the whole ledger is read once),
`page` and `json` an answer after one new record (`cpu`: this process's own time, whatever else the machine does),
`unchanged` a 304. `plain_sql` is what PostgreSQL takes to scan the
same records once (count by kind): the work that the incremental reading saves, to compare with on any machine.
Needs no Airflow running: the application is asked in this process, with every right given.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from onboarding.addresses import Database
from onboarding.evidence_kinds import Stage
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from onboarding.programme.progress import STAGES
from onboarding.records import canonical
from sandbox.postgres import Cluster

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 30


def main() -> None:
    """Builds the ledger, asks, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pilots", type=int, default=100)
    parser.add_argument("--records", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIRFLOW_HOME"] = folder
        cluster = Cluster(Path(folder) / "data", "127.0.0.1", _free_port(), "postgres", secrets.token_urlsafe())
        cluster.create()
        cluster.start()
        try:
            print(json.dumps(_measured(Path(folder), cluster, chosen.pilots, chosen.records)))
        finally:
            cluster.stop()


def _measured(folder: Path, cluster: Cluster, pilots: int, records: int) -> dict[str, Any]:
    with cluster.connect() as connection:
        connection.execute("CREATE DATABASE ledger")
    password = str(cluster.connect().info.password)
    owner = Database("127.0.0.1", cluster.port, "ledger", "postgres", password, resolve=lambda host: host)
    word = secrets.token_hex()
    ensure_schema(owner, writer="writer", writer_password=word, reader=None)
    ids = _manifests(folder / "pilots", pilots)
    _fill(owner, ids, records)
    os.environ["NAMRONG_PILOTS"] = str(folder / "pilots")
    os.environ["AIRFLOW_CONN_NAMRONG_LEDGER"] = f"postgresql://writer:{word}@127.0.0.1:{cluster.port}/ledger"
    chosen = {"email_domain": "x.example", "anchor_bucket": "b", "sandbox": True}
    os.environ["AIRFLOW_VAR_NAMRONG_SETTINGS"] = json.dumps(chosen)
    ledger = Ledger(owner.as_user("writer", word))
    return {"pilots": pilots, "records": ledger.head().seq, **_timed_answers(ledger, ids), **_plain_sql(owner)}


def _timed_answers(ledger: Ledger, ids: list[str]) -> dict[str, float]:
    from airflow.api_fastapi.core_api.security import get_user
    from starlette.testclient import TestClient

    from onboarding_airflow import pages, readers

    class Everything(readers.Access):
        def may(self, pilot_id: str, entity: object = None) -> bool:  # noqa: ARG002
            return True

    application = pages.app()
    application.dependency_overrides[get_user] = lambda: "everybody"
    application.dependency_overrides[readers.access] = lambda: Everything("everybody")
    client = TestClient(application)
    client.get("/static/card.js")  # what the framework does once
    pages.loaded()  # what Airflow's parsing of manifests takes is another's time

    def ask(path: str, **headers: str) -> Any:
        answer = client.get(path, headers=headers)
        assert answer.status_code in (200, 304), answer.text
        return answer

    def touch() -> None:
        ledger.record(secrets.choice(ids), "stage", "intake", {"stage": "intake", "state": "entered"})

    told = {"first_ms": _milliseconds(lambda: ask("/programme"))}
    for name, path in (("page", "/programme"), ("json", "/programme.json")):
        told[f"{name}_ms"] = _median(lambda path=path: ask(path), touch)  # type: ignore[misc]
        told[f"{name}_cpu_ms"] = _median(lambda path=path: ask(path), touch, time.process_time)  # type: ignore[misc]
        told[f"{name}_bytes"] = len(ask(path).content)
    tag = ask("/programme").headers["ETag"]
    told["unchanged_ms"] = _median(lambda: ask("/programme", **{"If-None-Match": tag}), lambda: None)
    return told


def _plain_sql(owner: Database) -> dict[str, float]:
    with owner.connect() as connection:
        query = "SELECT body::jsonb ->> 'state', count(*) FROM ledger.records GROUP BY 1"
        return {"plain_sql_ms": _median(lambda: connection.execute(query).fetchall(), lambda: None)}


Clock = Callable[[], float]


def _milliseconds(call: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    begun = clock()
    call()
    return round(1000 * (clock() - begun), 1)


def _median(call: Callable[[], object], before: Callable[[], None], clock: Clock = time.perf_counter) -> float:
    times = []
    for _ in range(ROUNDS):
        before()
        times.append(_milliseconds(call, clock))
    return statistics.median(times)


def _manifests(folder: Path, pilots: int) -> list[str]:
    folder.mkdir()
    text = (ROOT / "include" / "pilots" / "p02.yaml").read_text(encoding="utf-8")
    ids = [f"p{number:03d}" for number in range(1, pilots + 1)]
    for number, pilot in enumerate(ids):
        network = f"10.{number // 16 + 1}.{number % 16 * 16}.0/20"
        of_pilot = re.sub("network_cidr: .*", f"network_cidr: {network}", text.replace("p02", pilot))
        (folder / f"{pilot}.yaml").write_text(of_pilot, encoding="utf-8")
    return ids


def _fill(owner: Database, ids: list[str], records: int) -> None:
    """Journeys at all stages: mostly moved units and looks of gates, as real ones are. Chained by the database."""
    chance = random.Random(1)  # the same ledger each time
    at = datetime.now(UTC) - timedelta(days=30)
    with owner.connect() as connection, connection.cursor() as cursor:
        with cursor.copy(
            "COPY ledger.records (seq, at, pilot, kind, subject, body, prev_hash, hash) FROM STDIN"
        ) as rows:
            for number in range(records):
                kind, subject, body = _record(chance, STAGES[min(number * 7 // records, 6)])
                text = canonical(body).decode()
                at += timedelta(seconds=20)
                rows.write_row((1, at, chance.choice(ids), kind, subject, text, "", ""))


def _record(chance: random.Random, stage: Stage) -> tuple[str, str, dict[str, Any]]:
    kind = chance.choices(("moved_rows", "observation", "stage", "reconciled", "intent_note"), (50, 25, 5, 5, 15))[0]
    if kind == "stage":
        return kind, stage, {"stage": stage, "state": chance.choice(("entered", "passed"))}
    if kind == "observation":
        seen = {
            "check": "account.active", "answer": chance.choice(("pass", "unknown")), "observed": "x", "expected": "y",
            "at": datetime.now(UTC).isoformat(), "why": "gates.no_evidence", "values": {},
        }  # fmt: skip
        gate = chance.choice(("account_made", "region_open", "targets_made", "soak"))
        return kind, gate, {"answer": seen["answer"], "final": False, "observations": [seen] * 3}
    if kind == "reconciled":
        body = {"workload": "registry", "what": "rows", "moment": "cutover", "source": 20_000, "unaccounted": 0}
        return kind, "registry", body
    return kind, "registry", {"workload": "registry", "load": "final-1", "unit": "t/0", "rows": 5, "n": chance.random()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
