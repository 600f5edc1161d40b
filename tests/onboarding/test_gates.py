"""Gates: not knowing is never passing, and the ledger hears what is new."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from typing import get_args

import psycopg
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.gates import REFRESH, Gate, evaluate, fresh, last_seen, observe, render
from onboarding.messages import Language, text
from onboarding.observations import Answer, Observation, judged
from onboarding.spoken_times import spoken, spoken_length
from onboarding.stages.gates import GATES
from onboarding_airflow.gate_page import gate_page

NOW = datetime(2026, 4, 13, 3, 0, 1, tzinfo=UTC)
PASS, FAIL, UNKNOWN = Answer.PASS, Answer.FAIL, Answer.UNKNOWN


def clock() -> datetime:
    return NOW


def answering(answer: Answer, observed: object = 1, why: str = ""):
    return lambda: Observation("x", answer, observed, 1, NOW, why)


def raising(failure: Exception):
    def check() -> Observation:
        raise failure

    return check


def client_error(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "told"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeAccount")


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([PASS], PASS), ([PASS, PASS], PASS), ([PASS, UNKNOWN], UNKNOWN), ([UNKNOWN, FAIL], FAIL),
        ([FAIL, PASS, UNKNOWN], FAIL), ([FAIL], FAIL),
    ],
)  # fmt: skip
def test_all_must_pass_and_one_fail_is_enough(answers, verdict):
    checks = {f"c{number}": answering(answer) for number, answer in enumerate(answers)}
    found = evaluate(checks, clock)
    assert found.answer is verdict
    assert [(o.check, o.answer) for o in found.observations] == list(zip(checks, answers, strict=True))


def test_a_gate_without_checks_is_not_open():
    with pytest.raises(Stop):
        evaluate({}, clock)


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (TryAgain("addresses.name_not_found", where="db.example", reason="NXDOMAIN"), UNKNOWN),
        (AskPerson("ledger.lost", reason="x"), UNKNOWN),
        (Stop("ledger.lost", reason="x"), FAIL),
        (ConnectionResetError("reset"), UNKNOWN),
        (TimeoutError(), UNKNOWN),
        (psycopg.OperationalError("server closed the connection"), UNKNOWN),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), UNKNOWN),
        (client_error("ThrottlingException"), UNKNOWN),
        (client_error("InternalError", 500), UNKNOWN),
        (client_error("ValidationException"), FAIL),
    ],
    ids=lambda value: getattr(value, "key", None) or type(value).__name__,
)
def test_trouble_is_unknown_and_a_refusal_is_a_fail(failure, answer):
    verdict = evaluate({"asked": raising(failure), "other": answering(PASS)}, clock)
    assert verdict.answer is answer
    (observation, _) = verdict.observations
    assert (observation.check, observation.answer, observation.at) == ("asked", answer, NOW)
    for language in ("th", "en"):
        assert "→" in render(verdict, language)
        assert "gates." not in render(verdict, language)


def test_a_fault_in_a_check_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        evaluate({"broken": lambda: 1 / 0}, clock)


def test_people_read_why_and_what_to_do():
    failure = TryAgain("addresses.name_not_found", where="db.p02.example", reason="NXDOMAIN")
    verdict = evaluate({"account": answering(PASS), "reached": raising(failure)}, clock)
    assert render(verdict, "en").splitlines()[:2] == [
        "The gate waits: not everything is known yet.",
        "✔ account: observed 1, expected 1 (13 Apr 2026 10:00:01)",
    ]
    assert "db.p02.example: the name did not resolve (NXDOMAIN)" in render(verdict, "en")
    assert "ค้นหาชื่อโดเมนไม่พบ" in render(verdict, "th")
    assert "13 เม.ย. 2569 10:00:01" in render(verdict, "th")


def test_a_hole_in_the_catalogue_does_not_hide_the_reason():
    verdict = evaluate({"c": answering(FAIL, why="nowhere.to_be_found")}, clock)
    assert "nowhere.to_be_found" in render(verdict, "th")


def test_the_ledger_hears_what_is_new_and_the_last_word(ledger, house):
    def seen(answer: Answer, observed: object = 1, *, final: bool = False, run: str = "r1") -> bool:
        verdict = evaluate({"lag": answering(answer, observed)}, clock)
        return observe(ledger, "p02", "validated", verdict, final=final, run=run) is not None

    assert seen(UNKNOWN)
    assert not seen(UNKNOWN)
    assert not seen(UNKNOWN, observed=2)
    house.clock.now += REFRESH
    assert seen(UNKNOWN, observed=2)
    house.clock.now += REFRESH
    assert not seen(UNKNOWN, observed=2)
    assert seen(UNKNOWN, observed=2, run="r2")
    assert seen(PASS, run="r2")
    assert seen(PASS, final=True, run="r2")
    assert seen(PASS, final=True, run="r2")
    assert seen(UNKNOWN, run="r2")
    assert len(ledger.records(kind="observation", subject="validated")) == 7


def test_what_was_seen_comes_back(ledger):
    verdict = evaluate({"a": answering(PASS, {"rows": 3}), "b": answering(UNKNOWN, why="gates.no_evidence")}, clock)
    assert last_seen(ledger, "p02", "g") == ()
    observe(ledger, "p02", "g", verdict)
    assert last_seen(ledger, "p02", "g") == verdict.observations


def test_evidence_is_fresh_stale_absent_or_from_the_future(ledger, house):
    record = ledger.record("p02", "reconciled", "registry", {})
    hour = timedelta(hours=1)

    def judge(age: timedelta) -> tuple[Answer, str]:
        observation = fresh(record, hour, record.at + age)
        return observation.answer, observation.why

    assert judge(timedelta(0)) == judge(hour) == (PASS, "")
    assert judge(hour + timedelta(microseconds=1)) == (FAIL, "gates.stale")
    assert judge(-timedelta(seconds=59)) == (PASS, "")
    assert judge(-timedelta(seconds=61)) == (FAIL, "gates.future")
    assert fresh(None, hour, NOW).answer is UNKNOWN


def test_a_gate_is_described():
    gate = Gate("account_ready", timedelta(hours=2), timedelta(seconds=10))
    assert (gate.name, gate.deadline, gate.poll) == ("account_ready", timedelta(hours=2), timedelta(seconds=10))
    assert judged("c", 1, 1, NOW).answer is PASS


def test_times_are_spoken_in_bangkok():
    assert spoken(datetime(2022, 2, 24, 18, 0, tzinfo=UTC), "th") == "25 ก.พ. 2565 01:00:00"
    assert spoken(datetime(2022, 2, 24, 18, 0, tzinfo=UTC), "en") == "25 Feb 2022 01:00:00"
    assert [spoken_length(timedelta(seconds=s), "en") for s in (0, 59, 60, 4_800, 86_400, 90_061)] == [
        "0 s", "59 s", "1 min", "1 h 20 min", "1 d", "1 d 1 h",
    ]  # fmt: skip
    assert spoken_length(timedelta(seconds=61), "th") == "1 นาที 1 วินาที"


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("gate", sorted(GATES))
def test_the_page_of_every_gate_says_what_it_asks(gate: str, language: Language) -> None:
    page = gate_page("p02", "x", gate, (), language, sandbox=True)
    assert text(f"pages.questions.{gate}", language) in html.unescape(page)
