"""How many worker slots pilots hold while they wait at a gate, and what their waiting costs one triggerer.

    PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/gates_waiting.py [--pilots 200] [--seconds 60]

A real Airflow (api-server, scheduler with LocalExecutor, dag-processor, one triggerer) on a PostgreSQL of its own, all
on 127.0.0.1, gone afterwards. Each pilot waits at the real gate `window`, whose hours are over, as `GateSensor` and
`GateTrigger` have it; each look opens the pilot and asks the ledger. No cloud is called. Prints one line of JSON:
slots and task instances by state, triggers by triggerer, and over so many seconds the triggerer's share of a processor,
its memory (PSS) and the transactions per second on the ledger, which show that the gates do look.
Exit status 1 when a slot is held.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg

from launcher.rest import Airflow
from onboarding.addresses import Database
from onboarding.evidence_kinds import Rehearsal
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from sandbox.postgres import Cluster

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "include" / "pilots" / "p02.yaml"
WINDOW = 'opens: "00:00", closes: "00:00"'
DAG = "gates_waiting"
DAG_FILE = f"""
from airflow.sdk import DAG, TaskGroup
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import loaded

with DAG("{DAG}", schedule=None, max_active_tasks=1000):
    for manifest in loaded().manifests.values():
        with TaskGroup(manifest.id):
            Journey(manifest).gate("window")
"""
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": (), "scheduler": ("--skip-serve-logs",), "dag-processor": (), "triggerer": ("--skip-serve-logs",),
}  # fmt: skip
WITHIN_S = 1800.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pilots", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gates-waiting-")))
        postgres = stack.enter_context(server(folder))
        pilots = generate(folder / "pilots", asked.pilots)
        ledger = prepare_ledger(postgres, pilots)
        environment = airflow_environment(folder, postgres, ledger, pilots)
        processes = stack.enter_context(running(folder, environment))
        found = measure(environment, processes, postgres, pilots, asked.seconds)
    print(json.dumps(found))
    return 0 if found["slots"] == {"occupied": 0, "running": 0, "queued": 0} else 1


@contextmanager
def server(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder / "data", "127.0.0.1", free_port(), "postgres", secrets.token_urlsafe())
    cluster.create()
    cluster.start()
    try:
        for name in ("airflow", "ledger"):
            with cluster.connect() as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
        yield cluster
    finally:
        cluster.stop()


def database(cluster: Cluster, name: str) -> Database:
    return Database(cluster.host, cluster.port, name, cluster.superuser, cluster.password, resolve=lambda host: host)


def generate(folder: Path, pilots: int) -> list[str]:
    """p02 under other ids, with a window that has just closed and opens tomorrow."""
    folder.mkdir()
    text = SAMPLE.read_text(encoding="utf-8")
    bangkok = datetime.now(UTC) + timedelta(hours=7)
    closed = f'opens: "{bangkok - timedelta(hours=2):%H:%M}", closes: "{bangkok - timedelta(minutes=5):%H:%M}"'
    assert text.count(WINDOW) == 1
    names = [f"p{number:04}" for number in range(pilots)]
    for name in names:
        own = text.replace("id: p02\n", f"id: {name}\n", 1).replace(WINDOW, closed)
        (folder / f"{name}.yaml").write_text(own, encoding="utf-8")
    return names


def prepare_ledger(cluster: Cluster, pilots: list[str]) -> Database:
    """A ledger in which every pilot has rehearsed a night of a minute."""
    owner, password = database(cluster, "ledger"), secrets.token_urlsafe()
    ensure_schema(owner, writer="writer", writer_password=password, reader=None)
    writer = owner.as_user("writer", password)
    ledger = Ledger(writer)
    for pilot in pilots:
        ledger.record(pilot, *Rehearsal(10.0, 5.0, 60.0, True).as_record())
    ledger.close()
    return writer


def airflow_environment(folder: Path, cluster: Cluster, ledger: Database, pilots: list[str]) -> dict[str, str]:
    (folder / "dags").mkdir()
    (folder / "dags" / "waiting.py").write_text(DAG_FILE)
    login = f"{cluster.superuser}:{cluster.password}@{cluster.host}:{cluster.port}/airflow"
    port, settings = free_port(), {"email_domain": "pilots.example", "anchor_bucket": "none", "sandbox": True}
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(ROOT / "plugins"))),
        "HOME": str(folder),
        "NAMRONG_PILOTS": str(folder / "pilots"),
        "AWS_DEFAULT_REGION": "ap-southeast-7",
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{login}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{login}",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300",
        "AIRFLOW_VAR_NAMRONG_SETTINGS": json.dumps(settings),
        "AIRFLOW_CONN_NAMRONG_SECRETS": json.dumps({"conn_type": "generic", "password": secrets.token_urlsafe()}),
        "AIRFLOW_CONN_NAMRONG_MANAGEMENT": json.dumps({"conn_type": "aws", "login": "none", "password": "none"}),
        "AIRFLOW_CONN_NAMRONG_LEDGER": json.dumps(
            {"conn_type": "postgres", "host": ledger.host, "port": ledger.port, "schema": ledger.name,
             "login": ledger.user, "password": ledger.password}
        ),
        **agencies(pilots),
    }  # fmt: skip


def agencies(pilots: list[str]) -> Mapping[str, str]:
    """Connections that nobody answers at: a window is asked of the calendar."""
    service = {"service_user": "none", "service_password": "none", "path": "/nowhere"}
    nowhere = json.dumps({"conn_type": "postgres", "host": "db.agency.example", "extra": service})
    names = ("registry", "documents")
    return {f"AIRFLOW_CONN_AGENCY_{pilot}_{name}".upper(): nowhere for pilot in pilots for name in names}


@contextmanager
def running(folder: Path, environment: Mapping[str, str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Airflow's four processes, stopped afterwards."""
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    with ExitStack() as stack:
        processes = {}
        for name, more in COMPONENTS.items():
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            processes[name] = subprocess.Popen([*airflow, name, *more], env=environment, stdout=log, stderr=log)
            stack.callback(stop, processes[name])
        yield processes


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends what was started and its children."""
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=20)
    for one in alive:
        one.kill()
    process.wait()


def measure(
    environment: Mapping[str, str],
    processes: Mapping[str, subprocess.Popen[bytes]],
    cluster: Cluster,
    pilots: list[str],
    seconds: float,
) -> dict[str, Any]:
    url = environment["AIRFLOW__API__BASE_URL"]
    wait_for(lambda: answers(url), "the api-server answers")
    with urlopen(f"{url}/auth/token") as answer:
        airflow = Airflow(url, "admin", "", _token=json.load(answer)["access_token"])
    wait_for(lambda: airflow.has_dag(DAG), "the DAG is read")
    began, run = time.monotonic(), airflow.trigger(DAG)
    wait_for(lambda: states(cluster, run) == {"deferred": len(pilots)}, lambda: states(cluster, run))
    all_waiting_s = time.monotonic() - began
    time.sleep(10)  # the last worker lets go
    triggerer = psutil.Process(processes["triggerer"].pid)
    before = time.monotonic(), cpu(triggerer), commits(cluster)
    time.sleep(seconds)
    passed = time.monotonic() - before[0]
    pool = airflow.call("GET", "/api/v2/pools/default_pool")
    return {
        "pilots": len(pilots),
        "all_waiting_after_s": round(all_waiting_s),
        "slots": {name: pool[f"{name}_slots"] for name in ("occupied", "running", "queued")},
        "task_instances": states(cluster, run),
        "triggers_by_triggerer": triggers(cluster),
        "triggerer_cpu_share": round((cpu(triggerer) - before[1]) / passed, 3),
        "triggerer_pss_mib": round(sum(one.memory_full_info().pss for one in tree(triggerer)) / 2**20),
        "ledger_transactions_per_s": round((commits(cluster) - before[2]) / passed, 1),
        "seconds": round(passed),
    }


def answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/api/v2/monitor/health", timeout=5):
            return True
    except OSError:
        return False


def wait_for(holds: Callable[[], bool], otherwise: str | Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(2)


def ask(cluster: Cluster, name: str, query: str, *values: object) -> list[Any]:
    with psycopg.connect(
        host=cluster.host, port=cluster.port, dbname=name, user=cluster.superuser, password=cluster.password
    ) as connection:
        return connection.execute(query, values).fetchall()


def states(cluster: Cluster, run: str) -> dict[str, int]:
    found = ask(cluster, "airflow", "SELECT state FROM task_instance WHERE run_id = %s", run)
    return dict(Counter(str(state) for (state,) in found))


def triggers(cluster: Cluster) -> list[int]:
    found = ask(cluster, "airflow", "SELECT count(*) FROM trigger GROUP BY triggerer_id")
    return [count for (count,) in found]


def commits(cluster: Cluster) -> int:
    ((found,),) = ask(cluster, "airflow", "SELECT xact_commit FROM pg_stat_database WHERE datname = 'ledger'")
    return int(found)


def tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def cpu(process: psutil.Process) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in tree(process))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
