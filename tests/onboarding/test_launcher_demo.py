"""The demonstration's own judgement: who answers, where a pilot stands, and when all of it holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from launcher import approving, cli, result
from launcher.approving import Approver
from launcher.checkout import ROOT
from launcher.rest import Airflow, RestError
from launcher.watching import Line, busy_with, plain, table
from onboarding.programme.table import PilotRow

ONE, TWO = {"id": "3", "name": "approver1"}, {"id": "4", "name": "approver2"}


def question(dag: str, task: str, *asked: dict[str, str], age_s: float = 60) -> dict[str, Any]:
    return {
        "created_at": (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(),
        "task_instance": {"dag_id": dag, "dag_run_id": "run 1", "task_id": task, "map_index": -1},
        "assigned_users": list(asked),
    }


class FakeAirflow(ThreadingHTTPServer):
    """A server that speaks just enough of Airflow's REST API, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.questions: list[dict[str, Any]] = []
        self.answers: list[tuple[str, str, dict[str, Any]]] = []
        self.late: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeAirflow

    def log_message(self, *_: object) -> None:
        pass

    def _reply(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_POST(self) -> None:
        sent = self._body()
        right = sent == {"username": sent["username"], "password": f"{sent['username']}'s"}
        self._reply(201 if right else 401, {"access_token": f"token of {sent['username']}"} if right else {})

    def do_GET(self) -> None:
        self._reply(200, {"hitl_details": self.server.questions, "total_entries": len(self.server.questions)})

    def do_PATCH(self) -> None:
        who = self.headers["Authorization"].removeprefix("Bearer token of ")
        if self.path in self.server.late:
            self._reply(409, {"detail": "too late"})
            return
        self.server.answers.append((who, self.path, self._body()))
        self._reply(200, {})


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    with FakeAirflow() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def acting(server: FakeAirflow) -> tuple[Approver, ...]:
    secrets = {"login:approver1": "approver1's", "login:approver2": "approver2's", "login:operator": "operator's"}
    return approving.approvers(server.url, {"operator": 2, "approver1": 3, "approver2": 4}, secrets)


def test_each_approver_answers_what_is_put_to_it_and_says_that_it_is_a_program(airflow: FakeAirflow) -> None:
    airflow.questions = [question("onboard_p02", "cutover.approve_1", TWO, ONE), question("onboard_p05", "c.a_2", TWO)]
    said: list[tuple[str, str, str]] = []
    dags = frozenset({"onboard_p02", "onboard_p05"})
    assert approving.answer_all(acting(airflow), dags, lambda *told: said.append(told)) == 2
    assert [(who, path) for who, path, _ in airflow.answers] == [
        ("approver1", "/api/v2/dags/onboard_p02/dagRuns/run%201/taskInstances/cutover.approve_1/-1/hitlDetails"),
        ("approver2", "/api/v2/dags/onboard_p05/dagRuns/run%201/taskInstances/c.a_2/-1/hitlDetails"),
    ]
    for _, _, sent in airflow.answers:
        assert sent["chosen_options"] == ["Approve"]
        assert sent["params_input"]["automated"] is True
    assert said == [
        ("approver1", "onboard_p02 cutover.approve_1", "Approve"), ("approver2", "onboard_p05 c.a_2", "Approve"),
    ]  # fmt: skip


def test_an_approver_may_say_no(airflow: FakeAirflow) -> None:
    airflow.questions = [question("onboard_p02", "cutover.approve_1", ONE)]
    said: list[tuple[str, str, str]] = []
    dags = frozenset({"onboard_p02"})
    approving.answer_all(acting(airflow), dags, lambda *told: said.append(told), lambda _: approving.REJECT)
    assert [sent["chosen_options"] for _, _, sent in airflow.answers] == [["Reject"]]
    assert said == [("approver1", "onboard_p02 cutover.approve_1", "Reject")]


def test_what_is_put_to_others_or_to_nobody_or_about_other_dags_is_left_alone(airflow: FakeAirflow) -> None:
    airflow.questions = [
        question("onboard_p02", "cutover.approve_1", {"id": "9", "name": "director"}),
        question("onboard_p02", "cutover.approve_2"),
        question("roll_back_p02", "approve_way_back_1", ONE),
        question("onboard_p02", "cutover.approve_1", ONE, age_s=0),  # its worker has not let go of it yet
    ]
    assert approving.answer_all(acting(airflow), frozenset({"onboard_p02"}), lambda *_: None) == 0
    assert airflow.answers == []


def test_a_person_may_be_quicker(airflow: FakeAirflow) -> None:
    airflow.questions = [question("onboard_p02", "a", ONE)]
    airflow.late = {"/api/v2/dags/onboard_p02/dagRuns/run%201/taskInstances/a/-1/hitlDetails"}
    assert approving.answer_all(acting(airflow), frozenset({"onboard_p02"}), lambda *_: None) == 0


def test_nobody_acting_answers_nothing(airflow: FakeAirflow) -> None:
    airflow.questions = [question("onboard_p02", "a", ONE)]
    assert approving.answer_all((), frozenset({"onboard_p02"}), lambda *_: None) == 0


def test_a_wrong_password_is_an_error(airflow: FakeAirflow) -> None:
    with pytest.raises(RestError) as refusal:
        Airflow(airflow.url, "approver1", "guessed").questions()
    assert refusal.value.status == 401
    assert "guessed" not in repr(Airflow(airflow.url, "approver1", "guessed"))


def task(name: str, state: str | None, map_index: int = -1, **more: Any) -> dict[str, Any]:
    return {"task_id": name, "state": state, "map_index": map_index, "try_number": 1, **more}


def test_what_a_run_is_busy_with() -> None:
    done, waiting = task("intake.receive", "success"), task("cutover.gate_window", "deferred")
    asked, moving = task("cutover.approve_1", "awaiting_input"), task("migration.copy_rows", "running", 2)
    later = task("live.declare", None)
    assert busy_with([done, later, moving, asked], "running", "en") == "a person: cutover.approve_1"
    assert busy_with([done, waiting, moving], "running", "en") == "migration.copy_rows [2] is at work"
    assert busy_with([done, waiting], "running", "th") == "cutover.gate_window"
    failed = task("account.grant", "failed")
    assert busy_with([moving, failed], "failed", "en") == "somebody to look at account.grant: it failed"
    assert busy_with([done, later], "success", "en") == ""


def line(state: str, run_state: str, *waits: str) -> Line:
    since = datetime(2026, 11, 22, 9, 58, tzinfo=UTC)
    return Line(PilotRow("p02", "Registry", state, since, waits, 1200, 3), run_state, "copy_rows [1] is at work")


def test_a_line_says_what_the_ledger_knows_before_what_airflow_does() -> None:
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    asked = line("cutover", "running", "approval 1 by one of approver1, approver2")
    assert (
        plain(asked, now, "en")[8:]
        == "  p02  cutover          1,200 /      3  approval 1 by one of approver1, approver2"
    )
    assert line("migration", "running").waits_for() == "copy_rows [1] is at work"
    assert line("live", "success").waits_for() == ""
    assert asked.news() != line("soak", "running").news()
    shown = StringIO()
    Console(file=shown, width=160).print(table([asked], now, "th"))
    assert "approval 1 by one of approver1" in shown.getvalue()
    assert "1,200" in shown.getvalue()


GOOD: dict[str, Any] = {
    "goal": 1, "live": 1, "refused": 0, "unaccounted_rows": 0, "unaccounted_files": 0, "duplicate_side_effects": 0,
    "ledger": {"records": 9, "head": "ab", "verified": True}, "pilots": [{"id": "p02", "state": "live"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unaccounted_rows": 1}, "unaccounted_rows: 1"),
        ({"unaccounted_rows": None}, "unaccounted_rows: None"),
        ({"unaccounted_files": 2}, "unaccounted_files: 2"),
        ({"duplicate_side_effects": 1}, "duplicate_side_effects: 1"),
        ({"ledger": {"verified": False}}, "verified: None"),
        ({"ledger": {"verified": None}}, "verified: None"),
        ({"live": 0}, "live: 0"),
    ],
)
def test_one_thing_that_does_not_hold_is_enough(change: dict[str, Any], said: str) -> None:
    assert list(result.broken({**GOOD, **change}, {"p02": "success"})) == [said]


def test_all_of_it_holds_only_with_green_runs() -> None:
    assert list(result.broken(GOOD, {"p02": "success"})) == []
    assert list(result.broken(GOOD, {"p02": "failed"})) == ["p02: run failed"]


def test_check_says_what_is_wrong_and_its_status_counts(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    good = str(ROOT / "include" / "pilots" / "p02.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_text("id: p99\nnonsense: 1\n")
    assert cli.main(["check", good]) == 0
    assert cli.main(["check", good, str(bad)]) == 1
    assert "nonsense" in capsys.readouterr().out


def test_an_unknown_pilot_and_wrong_usage_are_refused() -> None:
    assert cli.main(["demo", "--pilots", "p02,p77"]) == 2
    for wrong in (["demo", "--scale", "0"], ["sing"], []):
        with pytest.raises(SystemExit) as ended:
            cli.main(wrong)
        assert ended.value.code == 2
