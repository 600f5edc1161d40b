"""Airflow's own count of live pilots without its servers: one line of JSON per step, for `test_partitions.py`.

The metadata database is real and migrated here; DAGs are read and stored as the processor does it, events registered as
a task's success does it, runs made by the scheduler's own method, tasks run by the task runner.
`python partitions.py STEP...`; a step is `live <pilot>...`, `parse`, `turn`, `progress`,
`metrics`, `steady`, `run`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from airflow.utils import db


def main(steps: list[str]) -> None:
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    providers_configuration_loaded(db.initdb)()
    for step in steps:
        name, *arguments = step.split()
        print(json.dumps(STEPS[name](*arguments)), flush=True)


def parse() -> list[str]:
    """Reads the dags folder anew, as the DAG processor does; the ids of what is there."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    (bundle,) = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    sync_bag_to_db(bag, bundle.name, bundle.version)
    return sorted(bag.dags)


def live(*pilots: str) -> int:
    """An event of `pilot/live` for each."""
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    for pilot in pilots:
        with create_session() as session:
            asset = session.scalar(select(AssetModel).where(AssetModel.name == "pilot/live"))
            asset_manager.register_asset_change(asset=asset, partition_key=pilot, session=session)
    return len(pilots)


def turn() -> list[tuple[str, str]]:
    """One turn of the scheduler: what it made new runs of, with their partition."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.utils.session import create_session

    known = {run.run_id for run in runs()}
    with create_session() as session:
        job = Job()
        session.add(job)
        session.flush()
        SchedulerJobRunner(job=job)._create_dagruns_for_partitioned_asset_dags(session)
    return sorted((run.dag_id, run.partition_key) for run in runs() if run.run_id not in known)


def progress() -> list[tuple[str, int, int]]:
    """What Airflow's page shows of `reach_goal`: state, received, required."""
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app()) as client:
        answer = client.get("/ui/partitioned_dag_runs?dag_id=reach_goal", headers=logged_in(client)).json()
    return [(one["state"], one["total_received"], one["total_required"]) for one in answer["partitioned_dag_runs"]]


def logged_in(client: Any) -> dict[str, str]:
    """The headers of the one login there is."""
    from airflow.configuration import conf

    passwords = json.loads(Path(conf.get("core", "simple_auth_manager_passwords_file")).read_text())
    credentials = {"username": "platform", "password": passwords["platform"]}
    token = client.post("/auth/token", json=credentials).json()["access_token"]
    client.cookies.clear()
    return {"Authorization": f"Bearer {token}"}


def metrics() -> list[tuple[int, str, str]]:
    """Status, content type and text of the page for Prometheus, to nobody in particular and to somebody."""
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app()) as client:
        asked = ({}, {"Authorization": "Bearer x"}, logged_in(client))
        answers = [client.get("/namrong/metrics", headers=headers) for headers in asked]
    return [(one.status_code, one.headers["content-type"], one.text) for one in answers]


def steady() -> int:
    """A second of a process that emits for ever, set up as the triggerer sets itself up."""
    from airflow.observability import stats
    from airflow.observability.metrics import stats_utils

    from onboarding_airflow.emitting import keep_emitting

    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    keep_emitting(0.2)
    time.sleep(1.5)
    return 0


def run() -> list[tuple[str, str, str]]:
    """Runs what is queued to its end: DAG, partition, state of the run."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.session import create_session

    bag = DagBag()
    ended = []
    for found in runs():
        if found.state != "queued":
            continue
        with create_session() as session:
            session.add(found)
            found.state = "running"
            found.dag = stored(found.dag_id)
            while found.state == "running":
                advance(found, bag.dags[found.dag_id], session)
            ended.append((found.dag_id, str(found.partition_key), str(found.state.value)))
    return ended


def advance(run: Any, dag: Any, session: Any) -> None:
    """One look at a run: every task that may run does, in a process of its own kind, as `DAG.test` has it."""
    from airflow.sdk.definitions.dag import _run_task

    session.expire_all()
    run.dag = stored(run.dag_id)
    ready, _ = run.update_state(session=session)
    for instance in ready:
        instance.try_number += 1
        instance.state = "scheduled"
    session.commit()
    for instance in ready:
        _run_task(ti=instance, task=dag.task_dict[instance.task_id])


def runs() -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = list(session.scalars(select(DagRun).order_by(DagRun.id)))
        session.expunge_all()
    return found


def stored(dag_id: str) -> Any:
    from airflow.models.serialized_dag import SerializedDagModel

    return SerializedDagModel.get_dag(dag_id)


STEPS = {
    "parse": parse,
    "live": live,
    "turn": turn,
    "progress": progress,
    "run": run,
    "metrics": metrics,
    "steady": steady,
}

if __name__ == "__main__":
    main(sys.argv[1:])
