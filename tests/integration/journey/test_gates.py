"""Gates ask the world: what is not known waits, what is wrong stops at once and says why, in both languages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import free_port
from sandbox_process import ask as ask_sandbox
from whole_journey import choose_pilots

from onboarding import gates
from onboarding.errors import Stop
from onboarding.evidence_kinds import MovedRows, Rehearsal
from onboarding.gates import Verdict
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation
from onboarding.places import SftpFolder
from onboarding.programme.report import report
from onboarding.stages import account, cutover, intake, validation
from onboarding.stages import gates as journey_gates
from onboarding.stages.pilot import Pilot
from onboarding.thai_calendar import BANGKOK

from .conftest import World

SONGKRAN = date(2027, 4, 13)


@pytest.fixture
def aside(world: World, rehearsed: Pilot, make_ledger: Callable[[], Any]) -> Iterator[Pilot]:
    """p09 with a ledger and anchors of this test's own: what it records is none of the journey's."""
    _, _, ledger = make_ledger()
    choose_pilots(ledger)
    before = {entry["seq"] for entry in world.audit()}
    bucket = f"namrong-aside-{secrets.token_hex(4)}"
    settings = replace(rehearsed.settings, anchor_bucket=bucket)
    yield replace(rehearsed, ledger=ledger, settings=settings)
    made = [entry for entry in ask_sandbox(world.cloud, "audit")["entries"] if entry["seq"] not in before]
    world.strays.update(entry["seq"] for entry in made if entry["params"].get("Bucket") == bucket)


def changed(pilot: Pilot, **fields: Any) -> Pilot:
    return replace(pilot, manifest=pilot.manifest.model_copy(update=fields))


def look(pilot: Pilot, questions: Callable[[Pilot], Mapping[str, gates.Check]]) -> Verdict:
    """One look that leaves nothing in the ledger."""
    return gates.evaluate(questions(pilot), pilot.clock)


def seen(verdict: Verdict, check: str) -> Observation:
    return next(one for one in verdict.observations if one.check == check)


def not_passed(verdict: Verdict) -> list[str]:
    return [one.check for one in verdict.observations if one.answer is not Answer.PASS]


def test_what_cannot_be_asked_is_unknown_and_says_why(rehearsed: Pilot) -> None:
    assert look(rehearsed, journey_gates.intake).answer is Answer.PASS
    lost = {name: source.at("no-such-name.agency.example") for name, source in rehearsed.sources.items()}
    verdict = look(replace(rehearsed, sources=lost), journey_gates.intake)
    assert verdict.answer is Answer.UNKNOWN
    assert not_passed(verdict) == ["source.assets"]
    why = seen(verdict, "source.assets")
    assert why.why == "addresses.name_not_found"
    assert all("no-such-name.agency.example" in words for words in _words(why))


def test_a_wrong_password_is_not_taken_for_an_answer(rehearsed: Pilot) -> None:
    locked = {name: source.as_user(source.user, "wrong") for name, source in rehearsed.sources.items()}
    verdict = look(replace(rehearsed, sources=locked), journey_gates.intake)
    assert verdict.answer is Answer.UNKNOWN and not_passed(verdict) == ["source.assets"]
    assert not any("wrong" in words for words in _words(seen(verdict, "source.assets")))


def test_files_that_nobody_shows_keep_the_gate_shut(rehearsed: Pilot, tmp_path: Path) -> None:
    (folder,) = rehearsed.manifest.files
    away = SftpFolder("127.0.0.1", "/", "agency", free_port(), "-")
    for place, answer in ((tmp_path / "not mounted", Answer.FAIL), (away, Answer.UNKNOWN), (tmp_path, Answer.PASS)):
        verdict = look(replace(rehearsed, folders={folder.name: place}), journey_gates.intake)
        assert (verdict.answer, seen(verdict, f"source.{folder.name}").answer) == (answer, answer), place


def test_without_a_government_cloud_request_the_gate_stays_shut(rehearsed: Pilot) -> None:
    verdict = look(changed(rehearsed, request=None), journey_gates.intake)
    assert verdict.answer is Answer.FAIL and not_passed(verdict) == ["request.government_cloud"]
    thai, english = _words(seen(verdict, "request.government_cloud"))
    assert "government cloud" in english and "คลาวด์" in thai


def test_a_pilot_that_nobody_chose_does_not_begin(rehearsed: Pilot, make_ledger: Callable[[], Any]) -> None:
    _, _, ledger = make_ledger()
    verdict = gates.evaluate(
        {"programme.chosen": journey_gates.intake(replace(rehearsed, ledger=ledger))["programme.chosen"]},
        rehearsed.clock,
    )
    assert verdict.answer is Answer.FAIL
    thai, english = _words(seen(verdict, "programme.chosen"))
    assert "select_pilots" in english and "select_pilots" in thai


def test_a_secret_service_is_refused_for_good_and_counted_so(aside: Pilot) -> None:
    data = aside.manifest.data.model_copy(update={"classification": "very_secret"})
    pilot = changed(aside, data=data)
    intake.receive(pilot)
    intake.assess(pilot)
    verdict = journey_gates.ask(pilot, "intake")
    assert verdict.answer is Answer.FAIL
    refused = pilot.ledger.latest("p09", "refused", "intake")
    assert refused is not None and refused.body["reason"] == "very_secret" and refused.body["by"].startswith("policy ")
    assert _report(pilot.ledger, pilot.manifest)["refused"] == 2  # p10 never became a pilot
    # The last task of the DAG runs whatever failed; a refusal stays a refusal, and of the intake.
    cutover.stand_down(pilot)
    assert _report(pilot.ledger, pilot.manifest)["refused"] == 2
    assert [one.subject for one in pilot.ledger.records(kind="stage")] == ["intake", "intake"]


def test_a_gate_tells_the_ledger_what_it_never_learned(aside: Pilot) -> None:
    """At its deadline; here before anything was assessed."""
    intake.receive(aside)
    assert journey_gates.ask(aside, "intake").answer is Answer.UNKNOWN
    assert journey_gates.ask(aside, "intake", last=True).answer is Answer.UNKNOWN
    last = aside.ledger.latest("p09", "observation", "intake")
    assert last is not None and last.body["final"] is True and last.body["answer"] == "unknown"
    unlearned = [one["check"] for one in last.body["observations"] if one["answer"] == "unknown"]
    assert unlearned == ["readiness"]
    assert _report(aside.ledger, aside.manifest)["pilots"][0]["state"] == "failed"


def at(day: date, hour: int) -> Callable[[], datetime]:
    moment = datetime.combine(day, time(hour), BANGKOK).astimezone(UTC)
    return lambda: moment


def test_the_window_opens_only_when_it_is_open(aside: Pilot) -> None:
    agreed = {"opens": time(22), "closes": time(4), "on_holidays": False, "weekdays": ("mon", "tue", "wed", "thu")}
    window = aside.manifest.cutover.window.model_copy(update=agreed)
    pilot = changed(aside, cutover=aside.manifest.cutover.model_copy(update={"window": window}))
    pilot.record(*Rehearsal(60, 10, 105, True).as_record())
    for clock, reason in (
        (at(SONGKRAN, 23), "public holiday"),  # a Tuesday
        (at(date(2027, 3, 10), 12), "outside the hours"),
        (at(date(2027, 3, 13), 23), "closed on sat"),
    ):
        verdict = journey_gates.ask(replace(pilot, clock=clock), "window")
        (one,) = verdict.observations
        assert (verdict.answer, one.why) == (Answer.UNKNOWN, "window.closed")
        assert reason in str(one.values["reason"])
        _words(one)
    assert journey_gates.ask(replace(pilot, clock=at(date(2027, 3, 10), 23)), "window").answer is Answer.PASS
    # The night still needs to fit: five minutes before closing it does not.
    late = datetime(2027, 3, 10, 20, 59, tzinfo=UTC)  # 03:59 in Bangkok
    assert journey_gates.ask(replace(pilot, clock=lambda: late), "window").answer is Answer.UNKNOWN
    # The samples say every day and hour: so a demonstration ends at 03:00 on the 13th of April too.
    assert journey_gates.ask(replace(aside, clock=at(SONGKRAN, 3)), "window").answer is Answer.PASS


def test_a_night_that_no_window_holds_fails_at_once(aside: Pilot) -> None:
    aside.record(*Rehearsal(60, 10, timedelta(days=90).total_seconds(), True).as_record())
    verdict = journey_gates.ask(aside, "window")
    assert (verdict.answer, verdict.observations[0].why) == (Answer.FAIL, "window.too_short")


def test_validation_refuses_stale_evidence(world: World, rehearsed: Pilot) -> None:
    assert look(rehearsed, journey_gates.validated).answer is Answer.PASS
    later = rehearsed.clock() + rehearsed.manifest.evidence_fresh_for + timedelta(minutes=1)
    verdict = look(replace(rehearsed, clock=lambda: later), journey_gates.validated)
    assert verdict.answer is Answer.FAIL
    stale = {one.check for one in verdict.observations if one.why == "gates.stale"}
    assert stale == {"reconciled.assets", "reconciled.scans", "golden.assets", "expectations.assets", "rehearsal"}
    assert all("expectations" in words for words in _words(seen(verdict, "expectations.assets")))


def test_a_proof_of_an_earlier_copy_is_no_proof(rehearsed: Pilot) -> None:
    """As when somebody clears the load and marks the comparison as a success."""
    rehearsed.record(*MovedRows("assets", "rehearsal-1", "s000", 1).as_record())
    verdict = look(rehearsed, journey_gates.validated)
    assert verdict.answer is Answer.UNKNOWN
    assert set(not_passed(verdict)) == {"reconciled.assets", "golden.assets", "expectations.assets"}
    for prove in (validation.reconcile, validation.expect, validation.ask_golden_queries):
        prove(rehearsed)
    assert look(rehearsed, journey_gates.validated).answer is Answer.PASS


def test_the_account_gate_reads_the_world_again(rehearsed: Pilot) -> None:
    assert look(rehearsed, journey_gates.account_ready).answer is Answer.PASS
    s3control = rehearsed.cloud.client("s3control")
    s3control.delete_public_access_block(AccountId=rehearsed.account_id)
    try:
        verdict = look(rehearsed, journey_gates.account_ready)
        assert verdict.answer is Answer.FAIL and not_passed(verdict) == ["account.public_access_block"]
        _words(seen(verdict, "account.public_access_block"))
    finally:
        account.apply_baseline(rehearsed)
    assert look(rehearsed, journey_gates.account_ready).answer is Answer.PASS


def test_access_that_has_run_out_is_given_anew_for_another_night(rehearsed: Pilot) -> None:
    a_day_on = rehearsed.clock() + timedelta(days=1)
    later = replace(rehearsed, clock=lambda: a_day_on)
    assert seen(look(later, journey_gates.account_ready), "account.access").why == "access.over"
    account.grant_access(later)
    assert seen(look(later, journey_gates.account_ready), "account.access").answer is Answer.PASS


def test_a_gate_without_questions_is_never_open() -> None:
    with pytest.raises(Stop):
        gates.evaluate({}, lambda: datetime.now(UTC))


def _report(ledger: Ledger, manifest: Manifest) -> dict[str, Any]:
    return report(ledger, [], [manifest])


def _words(one: Observation) -> list[str]:
    """Why and what to do, in Thai and in English."""
    thai, english = (" ".join(gates.reasons(one, language)) for language in ("th", "en"))
    assert english and any("ก" <= letter <= "๛" for letter in thai)
    return [thai, english]
