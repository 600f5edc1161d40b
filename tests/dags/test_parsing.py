"""Parsing: every pilot has its DAGs, nothing is done meanwhile, a bad manifest is seen and stops nobody else."""

from __future__ import annotations

import pytest
from airflow_process import MISSPELT, SAMPLES, Parsed

from launcher import people
from onboarding.manifest import Manifest
from onboarding.manifests import load_folder

MANIFESTS = load_folder(SAMPLES).manifests
MOST_TASK_INSTANCES = 60


PROGRAMME = {"select_pilots", "report_programme", "reach_goal", "watch_slots"}


def dags_of(pilots: set[str]) -> set[str]:
    return {dag for pilot in pilots for dag in people.dags_of(pilot)}


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_each_manifest_has_its_dags(samples: Parsed, pilot: str) -> None:
    for dag in dags_of({pilot}):
        assert samples["dags"][dag]["edges"]


def test_there_is_no_other_dag_and_no_import_error(samples: Parsed) -> None:
    assert set(samples["dags"]) == dags_of(set(MANIFESTS)) | PROGRAMME
    assert samples["import_errors"] == {}


def test_parsing_asks_nobody_for_anything(parsings: dict[str, list[Parsed]]) -> None:
    assert [parsed["tried"] for parsed in parsings["samples"]] == [[], []]


def test_parsing_takes_a_moment(samples: Parsed) -> None:
    assert samples["seconds"] < 15  # under 2 s on an idle machine


def test_a_bad_manifest_takes_only_its_own_dags_away(samples: Parsed, with_a_bad_one: Parsed) -> None:
    left = dags_of(set(MANIFESTS) - {"p05"})
    assert set(with_a_bad_one["dags"]) == left | PROGRAMME
    # The other pilots' account numbers and networks are none of a DAG's business: not even a new version.
    assert {dag: with_a_bad_one["dags"][dag]["version"] for dag in left} == {
        dag: samples["dags"][dag]["version"] for dag in left
    }


def test_a_bad_manifest_is_seen_as_an_import_error_with_place_and_remedy(with_a_bad_one: Parsed) -> None:
    assert list(with_a_bad_one["import_errors"]) == ["refused_manifests.py"]
    told = with_a_bad_one["import_errors"]["refused_manifests.py"]
    lines = (SAMPLES / "p05.yaml").read_text(encoding="utf-8").replace("    engine: copy\n", MISSPELT, 1).splitlines()
    line = lines.index(MISSPELT.rstrip()) + 1
    assert f"p05.yaml:{line} · databases.0.egnine" in told
    assert "'copy'" in told  # what was found
    assert "is no field of this file" in told
    assert "ไม่ใช่ฟิลด์ของไฟล์นี้" in told


def test_a_workload_called_like_a_task_breaks_no_dag(parsings: dict[str, list[Parsed]]) -> None:
    (parsed,) = parsings["names"]
    assert parsed["import_errors"] == {}
    assert set(parsed["dags"]) == dags_of({"p02"}) | PROGRAMME


def test_two_processes_make_the_same_version(parsings: dict[str, list[Parsed]]) -> None:
    for what in ("version", "content"):
        first, second = ({dag: told[what] for dag, told in parsed["dags"].items()} for parsed in parsings["samples"])
        assert first == second, what
        assert len(set(first.values())) == len(first) > len(PROGRAMME)


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_no_pilot_makes_more_task_instances_than_agreed(samples: Parsed, pilot: str) -> None:
    dag = samples["dags"][f"onboard_{pilot}"]
    units = sum(units_of(MANIFESTS[pilot], task) for task in dag["mapped"])
    assert dag["mapped"] and units > len(dag["mapped"])
    assert len(dag["edges"]) - len(dag["mapped"]) + units <= MOST_TASK_INSTANCES


def units_of(manifest: Manifest, task: str) -> int:
    """How many instances a mapped task has at most: what the manifest allows the workload it belongs to."""
    for database in manifest.databases:
        if f".{database.engine}_{database.name}." in task:
            return database.shards
    for files in manifest.files:
        if f".upload_{files.name}." in task:
            return files.batches
    raise LookupError(task)


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_every_task_says_what_it_does(samples: Parsed, pilot: str) -> None:
    dag = samples["dags"][f"onboard_{pilot}"]
    # What people are asked says it in its own words; holding a snapshot is said by its class.
    silent = {task for task, told in dag["documented"].items() if not told}
    assert {dag["kinds"][task] for task in silent} <= {"CutoverApproval", "HoldSnapshot"}


def test_the_selection_says_what_it_does_and_lets_no_agency_in(samples: Parsed) -> None:
    dag = samples["dags"]["select_pilots"]
    assert all(dag["documented"].values())
    assert dag["access"] == {} and dag["outlets"] == {}


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_only_the_last_task_declares_the_pilot_live(samples: Parsed, pilot: str) -> None:
    assert samples["dags"][f"onboard_{pilot}"]["outlets"] == {"live.declare": ["pilot/live"]}


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_only_the_agency_itself_is_let_in_by_the_dag(samples: Parsed, pilot: str) -> None:
    let_in = {f"AgencyOwner_{pilot}": {"DAGs": ["can_read"], "DAG Runs": ["can_read"]}}
    for dag in dags_of({pilot}):
        assert samples["dags"][dag]["access"] == let_in


@pytest.mark.parametrize("dag", sorted(PROGRAMME))
def test_no_agency_is_let_in_by_the_programmes_dags(samples: Parsed, dag: str) -> None:
    let_in = {} if dag == "select_pilots" else {"Stakeholder": {"DAGs": ["can_read"], "DAG Runs": ["can_read"]}}
    assert samples["dags"][dag]["access"] == let_in
    assert all(samples["dags"][dag]["documented"].values())
