"""Who sees and does what, asked of the running Airflow with everybody's own login, while p02 waits for approval."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from airflow_process import SAMPLES, airflow_process, answer_of
from live_stack import BAD, DAG, FIRST, PILOT, WAY_BACK, Journey, Stack, wait_for
from prometheus_client.parser import text_string_to_metric_families

from launcher import people
from onboarding.manifests import load_folder

LOGINS = ("platform", "operator", "approver1", "approver2", "stakeholder", "owner_p02", "owner_p05")
OPEN_TO_ALL = {
    ("GET", "/api/v2/monitor/health"),
    ("GET", "/api/v2/version"),
    ("GET", "/api/v2/auth/login"),  # leads to the login page
    ("GET", "/api/v2/auth/logout"),
    ("GET", "/execution/health"),
    ("GET", "/execution/health/ping"),
}
EXAMPLES = {"dag_id": DAG, "task_id": "intake.receive", "map_index": "-1", "pilot_id": PILOT, "gate": "intake"}


@pytest.fixture(scope="module")
def routes() -> list[tuple[str, str]]:
    (told,) = answer_of(airflow_process([str(Path(__file__).with_name("routes.py"))]))
    return [(method, path) for method, path in told]


def example(path: str, run: str) -> str:
    values = EXAMPLES | {"dag_run_id": quote(run), "run_id": quote(run)}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values.get(found[1], "1"), path)


def who_may(stack: Stack, method: str, path: str, body: object = None) -> set[str]:
    return {login for login in LOGINS if stack.status(login, method, path, body) == 200}


def test_nobody_gets_anything_without_a_login(stack: Stack, journey: Journey, routes: list[tuple[str, str]]) -> None:
    assert len(routes) > 150 and sum(path.startswith("/namrong/") for _, path in routes) >= 2
    body = {"POST": {}, "PUT": {}, "PATCH": {}}
    let_in = {
        (method, path)
        for method, path in routes
        if stack.fetch(None, example(path, journey.run), method, body.get(method))[0] not in (401, 403)
    }
    assert let_in == OPEN_TO_ALL


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."])
def test_a_made_up_token_opens_no_page(stack: Stack, journey: Journey, token: str) -> None:
    address = f"/namrong/gates/{PILOT}/intake?_token={token}"
    assert stack.fetch(None, address)[0] == 401


def test_another_agency_sees_nothing_of_this_pilot(stack: Stack, journey: Journey) -> None:
    run = quote(journey.run)
    task = stack.task(journey.run, "intake.receive")
    for path in (
        f"/api/v2/dags/{DAG}", f"/api/v2/dags/{DAG}/details", f"/api/v2/dags/{DAG}/dagRuns",
        f"/api/v2/dags/{DAG}/dagRuns/{run}", f"/api/v2/dags/{DAG}/dagRuns/{run}/taskInstances", task,
        f"{task}/logs/1", f"{task}/xcomEntries", f"{task}/tries", f"{task}/links", f"/api/v2/dags/{WAY_BACK}",
        f"{stack.task(journey.run, FIRST)}/-1/hitlDetails", f"/api/v2/dagSources/{DAG}", f"/api/v2/dags/{DAG}/tasks",
        f"/api/v2/dags/{DAG}/dagVersions", f"/ui/grid/structure/{DAG}", f"/ui/grid/runs/{DAG}",
        f"/ui/structure/structure_data?dag_id={DAG}",
    ):  # fmt: skip
        assert stack.fetch("owner_p05", path)[0] in (403, 404), path
    reports = f"/namrong/reports/{PILOT}/registry/index.html"
    for page in (f"/namrong/gates/{PILOT}/intake", f"/namrong/runbooks/{PILOT}", reports):
        assert stack.fetch("owner_p05", page)[0] == 403, page


@pytest.mark.parametrize("pilot", ["p02", "p05"])
def test_an_agency_sees_its_own_in_every_list_and_nothing_else(stack: Stack, journey: Journey, pilot: str) -> None:
    owner, own = stack.enter(f"owner_{pilot}"), set(people.dags_of(pilot))
    assert {dag["dag_id"] for dag in owner.call("GET", "/api/v2/dags")["dags"]} == own
    assert {dag["dag_id"] for dag in owner.call("GET", "/ui/dags")["dags"]} == own
    started = {DAG} if pilot == PILOT else set()
    for path, key in (
        ("/api/v2/dags/~/dagRuns", "dag_runs"),
        ("/api/v2/dags/~/dagRuns/~/taskInstances", "task_instances"),
        ("/api/v2/dags/~/dagRuns/~/hitlDetails", "hitl_details"),
    ):
        found = owner.call("GET", path)[key]
        assert {str(entry.get("dag_id") or entry["task_instance"]["dag_id"]) for entry in found} == started, path


def test_one_question_about_all_runs_is_answered_like_one_about_each(stack: Stack, journey: Journey) -> None:
    both = ("onboard_p02", "onboard_p05")
    platform, owner, other = (stack.enter(login) for login in ("platform", "owner_p02", "owner_p05"))
    state = platform.run_state(DAG, journey.run)
    for login in (platform, owner):
        assert login.run_states(both)[DAG, journey.run] == state
        asked = login.instances_in(("awaiting_input",), both)
        assert (DAG, journey.run, FIRST) in {(t["dag_id"], t["dag_run_id"], t["task_id"]) for t in asked}
        assert {task["state"] for task in asked} == {"awaiting_input"}
    assert (other.run_states(both), other.instances_in(("awaiting_input",), both)) == ({}, [])


def test_the_programme_view_is_by_pilot_too(stack: Stack, journey: Journey) -> None:
    seen = {}
    for login in LOGINS:
        status, told = stack.fetch(login, "/namrong/programme.json?lang=en")
        assert status == 200, login
        seen[login] = {one["id"] for one in json.loads(told)["lanes"]}
    everything = seen.pop("platform")
    assert everything > {"p02", "p05"}
    assert seen.pop("owner_p02") == {"p02"} and seen.pop("owner_p05") == {"p05"}
    assert all(pilots == everything for pilots in seen.values())
    assert "Province B" not in stack.fetch("owner_p05", "/namrong/programme?lang=en")[1]


@pytest.mark.parametrize("pilot", ["p02", "p05"])
def test_an_agency_sees_no_list_that_is_not_by_dag(stack: Stack, journey: Journey, pilot: str) -> None:
    other = "onboard_p05" if pilot == PILOT else DAG
    for path in (
        "connections", "variables", "pools", "eventLogs", "importErrors", "assets", "assets/events", "config", "jobs",
        f"eventLogs?dag_id={DAG}", "dagWarnings",
        f"backfills?dag_id={other}",
    ):  # fmt: skip
        assert stack.status(f"owner_{pilot}", "GET", f"/api/v2/{path}") == 403, path


def test_an_agency_follows_its_own_journey(stack: Stack, journey: Journey) -> None:
    owner = stack.enter(f"owner_{PILOT}")
    tasks = owner.task_instances(DAG, journey.run)
    assert {task["task_id"]: task["state"] for task in tasks}[FIRST] == "awaiting_input"
    status, page = stack.fetch(f"owner_{PILOT}", f"/namrong/gates/{PILOT}/intake")
    assert status == 200 and "request.government_cloud" in page


def test_who_may_read_rows_logs_secrets_and_reasons(stack: Stack, journey: Journey) -> None:
    task = stack.task(journey.run, "intake.receive")
    all_but_p05 = set(LOGINS) - {"owner_p05"}
    may = {
        f"{task}/logs/1": {"platform", "operator", "approver1", "approver2"},
        f"{task}/xcomEntries": {"platform", "operator"},
        f"/api/v2/dagSources/{DAG}": {"platform", "operator", "approver1", "approver2"},
        "/api/v2/connections": {"platform"},
        "/api/v2/connections/namrong_management": {"platform"},
        "/api/v2/variables": {"platform"},
        "/api/v2/config": set(),  # Airflow's own setting hides it from everybody
        "/auth/fab/v1/users": {"platform"},
        "/auth/fab/v1/roles": {"platform"},
        "/api/v2/importErrors": {"platform", "operator", "stakeholder"},
        f"/api/v2/dags/{DAG}/dagRuns/{quote(journey.run)}": all_but_p05,
        f"{task}/links": all_but_p05,
    }
    assert {path: who_may(stack, "GET", path) for path in may} == may
    reports = f"/namrong/reports/{PILOT}/registry/index.html"
    for page in (f"/namrong/gates/{PILOT}/intake", f"/namrong/runbooks/{PILOT}", reports):
        assert {login for login in LOGINS if stack.fetch(login, page)[0] == 200} == all_but_p05


def test_who_may_trigger(stack: Stack, journey: Journey) -> None:
    # Of p05, whose agency is not on this machine: a run by `platform` would fail, so it is not asked here; it
    # triggered the run that all these tests look at.
    for login in ("approver1", "approver2", "stakeholder", "owner_p02", "owner_p05"):
        for dag in (DAG, "onboard_p05", WAY_BACK):
            assert stack.status(login, "POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None}) == 403, login


def test_who_may_clear_and_mark(stack: Stack, journey: Journey) -> None:
    clear = {"dry_run": True, "task_ids": ["intake.receive"], "dag_run_id": journey.run, "only_failed": False}
    assert who_may(stack, "POST", f"/api/v2/dags/{DAG}/clearTaskInstances", clear) == {"platform", "operator"}
    readers = ("approver1", "approver2", "stakeholder", "owner_p02", "owner_p05")
    run = f"/api/v2/dags/{DAG}/dagRuns/{quote(journey.run)}"
    for login in readers:
        marked = stack.status(login, "PATCH", stack.task(journey.run, FIRST), {"new_state": "success"})
        assert marked == 403, login
        assert stack.status(login, "PATCH", run, {"state": "success"}) == 403, login
        assert stack.status(login, "DELETE", run) == 403, login
    assert stack.states(DAG, journey.run)[FIRST] == "awaiting_input"


def test_nobody_but_platform_changes_connections_variables_or_people(stack: Stack, journey: Journey) -> None:
    made = {"connection_id": "namrong_x", "conn_type": "generic"}
    for login in set(LOGINS) - {"platform"}:
        assert stack.status(login, "POST", "/api/v2/connections", made) == 403, login
        assert stack.status(login, "POST", "/api/v2/variables", {"key": "namrong_people", "value": "{}"}) == 403, login
        assert stack.status(login, "PATCH", "/api/v2/variables/namrong_people", {"key": "x", "value": "{}"}) == 403
        assert stack.status(login, "PATCH", "/auth/fab/v1/users/approver1", {"roles": []}) in (403, 404), login


def test_a_refused_manifest_is_seen_by_those_who_follow_all_pilots(stack: Stack, journey: Journey) -> None:
    for login in ("stakeholder", "operator", "platform"):
        (told,) = wait_for(lambda login=login: stack.enter(login).import_errors().values(), lambda: "no import error")
        assert re.search(rf"{BAD}:\d+ · databases\.0\.egnine", told), told
        assert "is no field of this file" in told and "ไม่ใช่ฟิลด์ของไฟล์นี้" in told
    assert stack.enter("platform").has_dag("onboard_p09")
    assert not stack.enter("platform").has_dag("onboard_p77")


def test_the_plugin_is_there_and_whole(stack: Stack, journey: Journey) -> None:
    platform = stack.enter("platform")
    assert platform.call("GET", "/api/v2/plugins/importErrors")["total_entries"] == 0
    assert "namrong" in {plugin["name"] for plugin in platform.call("GET", "/api/v2/plugins")["plugins"]}


def test_the_programmes_metrics_are_for_those_who_read_the_programme(stack: Stack) -> None:
    path = "/namrong/metrics"
    assert stack.fetch(None, path)[0] == 401
    assert {login: stack.fetch(login, path)[0] for login in LOGINS} == {
        login: 403 if login.startswith("owner_") else 200 for login in LOGINS
    }
    families = {one.name: one for one in text_string_to_metric_families(stack.fetch("stakeholder", path)[1])}
    assert [one.value for one in families["pilots_goal"].samples] == [10]
    assert sum(one.value for one in families["pilots_in_stage"].samples) == len(load_folder(SAMPLES).manifests)


def test_no_agency_sees_the_programmes_dags(stack: Stack) -> None:
    for dag in ("report_programme", "reach_goal"):
        for login in LOGINS:
            expected = {403, 404} if login.startswith("owner_") else {200}
            assert stack.fetch(login, f"/api/v2/dags/{dag}")[0] in expected, (dag, login)
