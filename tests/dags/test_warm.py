"""A scheduler that was warmed: safe to fork, its tasks read next to nothing, an edit is seen all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow_process import SAMPLES, Parsed, airflow_process, answer_of

from launcher import people
from onboarding.manifests import load_folder


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    (answer,) = answer_of(airflow_process([str(Path(__file__).with_name("warm_process.py"))], OPENBLAS_NUM_THREADS="1"))
    return dict(answer)


def test_a_fork_of_it_shares_no_thread_and_no_connection(told: dict[str, Any]) -> None:
    assert (told["threads"], told["sockets"]) == (1, 0)


def test_a_task_imports_nothing_of_ours_and_no_client_library(told: dict[str, Any]) -> None:
    ours = ("onboarding", "onboarding_airflow", "boto3", "botocore", "psycopg", "pydantic", "yaml", "dns")
    assert [name for name in told["read"] if name.split(".")[0] in ours] == []
    assert len(told["read"]) < 25


def test_code_that_nobody_touched_is_kept(told: dict[str, Any]) -> None:
    assert told["kept"] is False


def test_code_that_was_edited_is_imported_anew_by_the_next_task(told: dict[str, Any]) -> None:
    assert (told["dropped"], told["left"], told["anew"]) == (True, [], True)


def test_a_task_builds_its_own_dag_only_and_the_same_one(samples: Parsed) -> None:
    every_pilots = {dag for pilot in load_folder(SAMPLES).manifests for dag in people.dags_of(pilot)}
    for dag in people.dags_of("p05"):
        process = airflow_process(
            [str(Path(__file__).with_name("parse.py")), str(SAMPLES)], _AIRFLOW_PARSING_CONTEXT_DAG_ID=dag
        )
        (alone,) = answer_of(process)
        built = {name: told for name, told in alone["dags"].items() if name in every_pilots}
        assert built == {dag: samples["dags"][dag]}
