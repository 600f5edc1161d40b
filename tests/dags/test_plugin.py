"""The plugin folder: what registers the pages is loaded, what is imported by them is not executed by the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow_process import ROOT, airflow_process, answer_of


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    (told,) = answer_of(airflow_process([str(Path(__file__).with_name("plugin.py"))]))
    return dict(told)


def test_the_plugin_is_registered_without_an_error(loaded: dict[str, Any]) -> None:
    assert "namrong" in loaded["plugins"]
    assert loaded["errors"] == {}
    assert "/namrong" in loaded["apps"]


def test_the_loader_runs_no_module_of_the_package_under_its_bare_name(loaded: dict[str, Any]) -> None:
    modules = {module.stem for module in (ROOT / "plugins" / "onboarding_airflow").glob("*.py")}
    assert "gates" in modules
    assert not modules & set(loaded["bare"])


def test_a_task_that_loads_the_plugin_loads_no_web_framework_with_it(loaded: dict[str, Any]) -> None:
    assert loaded["loaded"] == ["programme_plugin"]


def test_there_are_pages_and_none_of_documentation(loaded: dict[str, Any]) -> None:
    assert {route["path"] for route in loaded["routes"]} == {
        "/gates/{pilot_id}/{gate}",
        "/metrics",
        "/reports/{pilot_id}/{path:path}",
        "/runbooks/{pilot_id}",
        "/programme",
        "/programme.json",
        "/static/{name}",
    }


def test_where_tasks_are_cleared_their_questions_are_renewed() -> None:
    program = (
        "import airflow.models.taskinstance, json; from airflow import plugins_manager; "
        "plugins_manager._get_plugins(); from sqlalchemy import event; "
        "from onboarding_airflow import renewed_questions as renewed; "
        "print(json.dumps([event.contains(renewed.HITLDetailHistory, 'after_insert', renewed._take_away)]))"
    )
    assert answer_of(airflow_process(["-c", program])) == [[True]]


@pytest.mark.parametrize(
    ("component", "statsd", "emits"),
    [("triggerer", "True", True), ("triggerer", "False", False), ("scheduler", "True", False)],
)
def test_the_triggerer_and_no_other_keeps_the_metrics_fresh(component: str, statsd: str, emits: bool) -> None:
    program = (
        f"import json, sys, threading; sys.argv = ['airflow', '{component}']; from airflow.jobs.job import Job; Job(); "
        "print(json.dumps(['programme-metrics' in {thread.name for thread in threading.enumerate()}]))"
    )
    assert answer_of(airflow_process(["-c", program], AIRFLOW__METRICS__STATSD_ON=statsd)) == [[emits]]


@pytest.mark.parametrize(
    ("pipe", "heard"),
    [
        ({}, ["pilots.in_stage.live", None]),
        ({"AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True"}, ["pilots.in_stage", {"stage": "live"}]),
        ({"AIRFLOW__METRICS__STATSD_ON": "False"}, ["pilots.in_stage", {"stage": "live"}]),
    ],
)
def test_a_pipe_without_tags_has_the_stage_in_the_name(pipe: dict[str, str], heard: list[Any]) -> None:
    program = (
        "import json; from onboarding_airflow.emitting import emit; from onboarding.programme.metrics import Measures\n"
        "class Ear:\n"
        "    def gauge(self, stat, value, tags=None): print(json.dumps([stat, value, tags]))\n"
        "emit(Measures(1, 10, {'live': 1}, 0, {}), Ear())"
    )
    told = answer_of(airflow_process(["-c", program], **{"AIRFLOW__METRICS__STATSD_ON": "True", **pipe}))
    name, tags = heard
    assert told == [["pilots.live", 1, None], ["pilots.goal", 10, None], ["pilots.blocked", 0, None], [name, 1, tags]]
