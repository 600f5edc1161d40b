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
    }


def test_where_tasks_are_cleared_their_questions_are_renewed() -> None:
    program = (
        "import airflow.models.taskinstance, json; from airflow import plugins_manager; "
        "plugins_manager._get_plugins(); from sqlalchemy import event; "
        "from onboarding_airflow import renewed_questions as renewed; "
        "print(json.dumps([event.contains(renewed.HITLDetailHistory, 'after_insert', renewed._take_away)]))"
    )
    assert answer_of(airflow_process(["-c", program])) == [[True]]
