"""p02 from its approvals to live and once more, over REST, by the people it takes. The tests stand in their order."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from airflow_process import SAMPLES
from live_stack import DAG, FIRST, PILOT, SECOND, Journey, Stack, unlike, wait_for

from launcher import result
from onboarding.cutover.state import CutoverState
from onboarding.manifests import load_folder
from onboarding.stages import sides

FREEZE = "cutover.freeze"
TOUCH = 'UPDATE "จังหวัด" SET "ชื่อ" = "ชื่อ"'
"""Changes nothing, and is refused like any write."""


def source_takes_writes(stack: Stack) -> bool:
    """Whether the service, with its own login, can write to the agency's own database."""
    try:
        with sides.source_service(stack.pilot, "registry").connect() as connection:
            with connection.transaction(force_rollback=True):
                connection.execute(TOUCH)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
        return False
    return True


def nothing_is_frozen(stack: Stack) -> bool:
    ledger = stack.running.ledger
    return (
        source_takes_writes(stack)
        and ledger.latest(PILOT, "freeze") is None
        and ledger.cutover_state(PILOT) is CutoverState.REHEARSED
    )


def world(stack: Stack) -> dict[str, Any]:
    """What there is now, asked of the pretended AWS: accounts, instances, buckets and their objects, the name."""
    pilot = stack.pilot
    organizations = stack.running.management.client("organizations")
    s3, rds, route53 = (pilot.cloud.client(name) for name in ("s3", "rds", "route53"))
    buckets = sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"])
    name = f"{pilot.manifest.cutover.traffic.record}."
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {
        "accounts": sorted(account["Id"] for account in organizations.list_accounts()["Accounts"]),
        "instances": sorted(one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]),
        "files": {
            name: {one["Key"]: one["ETag"] for one in s3.list_objects_v2(Bucket=name).get("Contents", ())}
            for name in buckets
            if "documents" in name
        },
        "buckets": buckets,
        "weights": {one["SetIdentifier"]: one["Weight"] for one in records if one["Name"] == name},
        "state": pilot.ledger.cutover_state(PILOT),
    }


def figures(stack: Stack) -> dict[str, Any]:
    """The report, with everything compared anew."""
    manifests = load_folder(stack.checkout.pilots()).manifests
    return result.figures(stack.checkout, {PILOT: manifests[PILOT]})


def test_slots_are_watched_without_anybody_asking(stack: Stack, journey: Journey) -> None:
    """Nobody starts `watch_slots`: Airflow does, and every task of it looked."""
    airflow = stack.enter("platform")

    def succeeded() -> str | None:
        found = airflow.run_states(["watch_slots"])
        return next((run for (_, run), state in found.items() if state == "success"), None)

    run = wait_for(succeeded, lambda: airflow.run_states(["watch_slots"]))
    tasks = airflow.task_instances("watch_slots", run)
    assert {task["task_id"]: task["state"] for task in tasks} == dict.fromkeys(
        (f"watch_{one.id}" for one in load_folder(SAMPLES).manifests.values() if one.follows), "success"
    )


def test_a_gate_that_does_not_know_yet_waits_without_a_worker(journey: Journey) -> None:
    assert "deferred" in journey.seen["account.gate_account_made"]
    # A gate that knows at once has no need to.
    assert "deferred" not in journey.seen["intake.gate_intake"]


def test_a_gates_link_leads_to_its_reason_in_both_languages(stack: Stack, journey: Journey) -> None:
    links = stack.enter("stakeholder").call("GET", f"{stack.task(journey.run, 'account.gate_account')}/links")
    ((name, path),) = links["extra_links"].items()
    assert name == "Live reason · เหตุผลล่าสุด"
    assert path == f"/namrong/gates/{PILOT}/account"
    seen = stack.running.ledger.latest(PILOT, "observation", "account")
    assert seen is not None
    checks = {one["check"] for one in seen.body["observations"]}
    assert len(checks) >= 5
    for query, words in (("", "ที่ควรเป็น"), ("?lang=th", "ทุกข้อตรวจ"), ("?lang=en", "Expected")):
        status, page = stack.fetch("stakeholder", path + query)
        assert status == 200
        assert words in page
        assert all(check in page for check in checks)
    assert stack.fetch("stakeholder", f"{path}?lang=xx")[0] == 422


def test_the_reason_is_in_the_log_in_both_languages(stack: Stack, journey: Journey) -> None:
    told = stack.log(journey.run, "intake.gate_intake")
    assert "request.government_cloud" in told
    assert "ผ่าน" in told and "pass" in told


def test_the_data_docs_open_from_the_task(stack: Stack, journey: Journey) -> None:
    links = stack.enter("owner_p02").call("GET", f"{stack.task(journey.run, 'validation.expect')}/links")
    ((name, path),) = links["extra_links"].items()
    assert name == "Data Docs · registry"
    status, page = stack.fetch("owner_p02", path)
    assert status == 200
    assert "ExpectColumnValuesToMatchRegex" in page and "Nothing here is real AWS" in page
    inner = next(link for link in re.findall(r'href="([^"]+\.html)"', page) if not link.startswith("."))
    status, docs = stack.fetch("owner_p02", path.replace("index.html", inner))
    assert status == 200 and "Expectation" in docs
    for outside in ("../../p05/registry/index.html", "..%2f..%2fp05%2fx", "nothing.html"):
        assert stack.fetch("owner_p02", path.replace("index.html", outside))[0] in (403, 404), outside


def test_only_who_is_asked_can_answer(stack: Stack, journey: Journey) -> None:
    question = stack.question(journey.run, FIRST)
    ids = {user["name"] for user in question["assigned_users"]}
    assert ids == {"approver1", "approver2"}
    # `platform` may do everything else, and it is the requester.
    for login in ("platform", "operator", "stakeholder", "owner_p02", "owner_p05"):
        assert stack.answer(login, question) == 403, login
    assert stack.states(DAG, journey.run)[FIRST] == "awaiting_input"


def test_a_reject_ends_the_run_and_freezes_nothing(stack: Stack, journey: Journey) -> None:
    assert stack.answer("approver1", stack.question(journey.run, FIRST), "Reject") == 200
    assert stack.ended(journey.run) == "failed"
    states = stack.states(DAG, journey.run)
    assert (states[FIRST], states[FREEZE], states["live.declare"]) == ("failed", "upstream_failed", "upstream_failed")
    assert nothing_is_frozen(stack)
    (given,) = stack.running.ledger.records(pilot=PILOT, kind="approval")
    assert given.body["decision"] == "reject"


def test_marking_both_approvals_a_success_moves_nothing(stack: Stack, journey: Journey) -> None:
    stack.clear("operator", journey.run, FIRST)
    platform = stack.enter("platform")
    for task in (FIRST, SECOND):
        stack.question(journey.run, task)
        platform.call("PATCH", stack.task(journey.run, task), {"new_state": "success"})
    assert stack.ended(journey.run) == "failed"
    states = stack.states(DAG, journey.run)
    assert (states[FIRST], states[SECOND], states[FREEZE]) == ("success", "success", "failed")
    assert nothing_is_frozen(stack)
    assert len(stack.running.ledger.records(pilot=PILOT, kind="approval")) == 1  # the reject
    words = stack.log(journey.run, FREEZE)
    assert "approv" in words and "อนุมัติ" in words


def test_two_people_it_takes_and_an_answer_after_the_fact_is_refused(stack: Stack, journey: Journey) -> None:
    stack.clear("operator", journey.run, FIRST)
    first = stack.question(journey.run, FIRST)
    assert stack.answer("approver1", first) == 200
    assert stack.answer("approver1", first) == 409
    assert stack.answer("approver2", first) == 409
    second = stack.question(journey.run, SECOND)
    assert [user["name"] for user in second["assigned_users"]] == ["approver2"]
    for login in ("approver1", "platform", "operator"):
        assert stack.answer(login, second) == 403, login
    assert source_takes_writes(stack)
    assert stack.answer("approver2", second) == 200
    assert stack.ended(journey.run) == "success", unlike(stack.states(DAG, journey.run), "success")


def test_it_is_live_and_the_source_refuses_writes(stack: Stack, live: Journey) -> None:
    found = world(stack)
    assert found["state"] is CutoverState.COMMITTED
    assert found["weights"] == {"source": 0, "target": 100}
    assert not source_takes_writes(stack)
    with sides.target_service(stack.pilot, "registry").connect() as connection:
        with connection.transaction(force_rollback=True):
            connection.execute(TOUCH)


def test_the_programme_counts_one_more_pilot(stack: Stack, live: Journey) -> None:
    platform = stack.enter("platform")
    events = platform.call("GET", "/api/v2/assets/events")["asset_events"]
    assert [(event["name"], event["partition_key"]) for event in events] == [("pilot/live", PILOT)]


def test_the_figures_hold(stack: Stack, live: Journey) -> None:
    told = figures(stack)
    assert result.broken(told, {PILOT: "success"}) is not None
    assert list(result.broken(told, {PILOT: "success"})) == []
    assert told["live"] == 1 and told["ledger"]["verified"] and told["sandbox"]


def test_clearing_all_of_a_live_pilot_ends_in_the_same_world(stack: Stack, live: Journey) -> None:
    before, effects = world(stack), len(stack.running.ledger.records(pilot=PILOT, kind="intent"))
    stack.clear("operator", live.run)
    wait_for(lambda: stack.states(DAG, live.run)["live.declare"] != "success", lambda: "nothing was cleared")
    stack.approve_both(live.run)
    assert stack.ended(live.run) == "success", unlike(stack.states(DAG, live.run), "success")
    assert world(stack) == before
    assert len(stack.running.ledger.records(pilot=PILOT, kind="intent")) == effects
    told = figures(stack)
    assert list(result.broken(told, {PILOT: "success"})) == []
    events = stack.enter("platform").call("GET", "/api/v2/assets/events")["asset_events"]
    assert {event["partition_key"] for event in events} == {PILOT}  # a programme counts keys, not events
    assert not source_takes_writes(stack)
