"""People's yes to the list: the right person, about what still stands; and what the gate `intake` makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journeys import manifest
from selections import files
from whole_journey import PEOPLE, choose_pilots

from onboarding import approvals
from onboarding.errors import Stop
from onboarding.evidence_kinds import Selected
from onboarding.gates import reasons
from onboarding.observations import Answer
from onboarding.programme.report import report
from onboarding.selection import steps
from onboarding.selection.standing import PROGRAMME, observe_chosen, refused_candidates, standing_selection
from onboarding.selection.steps import Selecting

P02 = manifest("p02")
NOBODY_ELSE = {login: PEOPLE[login] for login in ("platform", "approver1")}


@pytest.fixture
def selecting(ledger) -> Selecting:
    return Selecting(ledger, "r1", "platform", ledger.now)


def proposed(selecting: Selecting) -> steps.Question:
    steps.assess(selecting)
    steps.propose_list(selecting)
    return steps.ask(selecting, PEOPLE)


def answer(selecting: Selecting, login: str = "approver1", *, approved: bool = True) -> None:
    steps.record_answer(selecting, PEOPLE, answered_by=PEOPLE[login].id, approved=approved, automated=True, comment="c")


def seen(selecting: Selecting, pilot=P02, **now):
    return observe_chosen(selecting.ledger, pilot, selecting.clock(), **now)


def stopped(call, *arguments, **named) -> str:
    with pytest.raises(Stop) as stop:
        call(*arguments, **named)
    assert stop.value.render("th") != stop.value.render("en")
    return stop.value.key


def test_confirmed_by_one_approver_the_ten_may_begin(selecting: Selecting) -> None:
    question = proposed(selecting)
    assert [person.login for person in question.people] == ["approver1", "approver2"]
    answer(selecting)
    told = steps.record(selecting)
    assert len(told["chosen"]) == 10 and told["digest"] == question.digest
    observed = seen(selecting)
    assert observed.answer is Answer.PASS and observed.observed == "chosen, 3 of 11"
    assert standing_selection(selecting.ledger).confirmed_by == "approver1"
    kinds = [record.kind for record in selecting.ledger.records(pilot=PROGRAMME)]
    assert kinds == ["assessment", "proposal", "approval_asked", "approval", "selection"]


def test_what_was_not_chosen_does_not_begin_and_hears_why(ledger) -> None:
    choose_pilots(ledger)
    for pilot, why, words in (("p12", "selection.out", "16.87"), ("p10", "selection.refused", "very_secret")):
        observed = observe_chosen(ledger, P02.model_copy(update={"id": pilot}), ledger.now())
        assert (observed.answer, observed.why) == (Answer.FAIL, why)
        for language in ("th", "en"):
            assert words in " ".join(reasons(observed, language))
        assert "p07" not in str(observed)  # another agency's service, and an owner reads this
    stranger = observe_chosen(ledger, P02.model_copy(update={"id": "p77"}), ledger.now())
    assert (stranger.answer, stranger.why) == (Answer.FAIL, "selection.no_candidate")


@pytest.mark.parametrize(
    "data", [{"classification": "personal"}, {"availability": "high"}], ids=["another class", "a higher impact"]
)
def test_the_place_is_the_services_and_not_the_numbers(ledger, data) -> None:
    choose_pilots(ledger)
    other = P02.model_copy(update={"data": P02.data.model_copy(update=data)})
    observed = observe_chosen(ledger, other, ledger.now())
    assert (observed.answer, observed.why) == (Answer.FAIL, "selection.another")
    less = P02.model_copy(update={"data": P02.data.model_copy(update={"confidentiality": "low", "integrity": "low"})})
    assert observe_chosen(ledger, less, ledger.now()).answer is Answer.PASS


def test_without_a_list_nobody_begins(selecting: Selecting) -> None:
    assert (seen(selecting).answer, seen(selecting).why) == (Answer.FAIL, "selection.none")
    proposed(selecting)
    assert seen(selecting).why == "selection.none"
    answer(selecting)
    assert seen(selecting).why == "selection.none"  # a yes that `record` has not written down is no list


def test_marking_the_confirmation_a_success_records_nothing(selecting: Selecting) -> None:
    proposed(selecting)
    assert stopped(steps.record, selecting) == "selection.not_confirmed"
    assert selecting.ledger.latest(PROGRAMME, Selected.KIND) is None


def test_a_no_is_recorded_and_ends_it(selecting: Selecting) -> None:
    proposed(selecting)
    answer(selecting, approved=False)
    (given,) = approvals.given(selecting.ledger, PROGRAMME, "selection")
    assert (given.decision, given.approver, given.comment, given.automated) == ("reject", "approver1", "c", True)
    assert stopped(steps.record, selecting) == "selection.not_confirmed"


def test_a_later_no_takes_the_list_back_and_a_later_yes_gives_it_again(selecting: Selecting) -> None:
    choose_pilots(selecting.ledger)
    again = replace(selecting, run="r2")
    proposed(again)
    answer(again, "approver2", approved=False)
    assert (seen(again).answer, seen(again).why) == (Answer.FAIL, "selection.taken_back")
    assert refused_candidates(again.ledger) == frozenset()
    third = replace(selecting, run="r3")
    proposed(third)
    answer(third)
    steps.record(third)
    assert seen(third).answer is Answer.PASS


@pytest.mark.parametrize("requester", ["", "somebody"])
def test_an_unknown_requester_is_asked_about_by_nobody(selecting: Selecting, requester: str) -> None:
    assert stopped(proposed, replace(selecting, requester=requester)) == "approvals.requester_unknown"


def test_nobody_confirms_what_they_asked_for(selecting: Selecting) -> None:
    by_approver = replace(selecting, requester="approver1")
    assert [person.login for person in proposed(by_approver).people] == ["approver2"]
    assert stopped(answer, by_approver, "approver1") == "decision.not_asked"
    assert stopped(steps.ask, by_approver, NOBODY_ELSE) == "approvals.nobody_left"
    assert stopped(answer, by_approver, "platform") == "decision.not_asked"
    assert stopped(steps.record, by_approver) == "selection.not_confirmed"


def test_another_runs_requester_does_not_ride_on_their_own_yes(selecting: Selecting) -> None:
    proposed(selecting)
    answer(selecting, "approver1")
    assert stopped(steps.record, replace(selecting, run="r2", requester="approver1")) == "selection.not_confirmed"


def test_files_that_change_between_void_the_answer(selecting: Selecting) -> None:
    proposed(selecting)
    changed = replace(selecting, read=lambda: files(version="another"))
    assert stopped(answer, changed) == "selection.changed"
    assert stopped(steps.ask, changed, PEOPLE) == "selection.changed"
    answer(selecting)
    assert stopped(steps.record, changed) == "selection.changed"
    assert stopped(steps.propose_list, changed) == "selection.not_assessed"
    answer(changed, approved=False)  # a no counts all the same
    assert stopped(steps.record, selecting) == "selection.not_confirmed"


def test_files_that_change_afterwards_void_the_list(selecting: Selecting) -> None:
    choose_pilots(selecting.ledger)
    changed = files(version="another")
    assert seen(selecting, files=changed).why == "selection.void"
    again = replace(selecting, run="r2", read=lambda: changed)
    proposed(again)
    assert seen(selecting, files=changed).why == "selection.void"
    answer(again)
    steps.record(again)
    assert seen(selecting, files=changed).answer is Answer.PASS
    assert seen(selecting).why == "selection.void"  # the former files are not what was confirmed last


def test_a_question_about_a_former_list_is_no_yes_to_the_new_one(selecting: Selecting) -> None:
    proposed(selecting)
    changed = replace(selecting, read=lambda: files(version="another"))
    steps.assess(changed)
    steps.propose_list(changed)
    assert stopped(answer, changed) == "selection.changed"


def test_a_yes_grows_old(selecting: Selecting) -> None:
    proposed(selecting)
    answer(selecting)
    fresh_for = selecting.read().criteria.confirmation_fresh_for
    late = replace(selecting, clock=lambda: selecting.ledger.now() + fresh_for)
    assert stopped(steps.record, late) == "selection.not_confirmed"


def test_every_step_may_be_repeated(selecting: Selecting) -> None:
    for _ in range(2):
        proposed(selecting)
    for _ in range(2):
        answer(selecting)
    for _ in range(2):
        steps.record(selecting)
    assert len(selecting.ledger.records(pilot=PROGRAMME, kind=["approval_asked"])) == 1
    assert len(selecting.ledger.records(pilot=PROGRAMME, kind=["approval"])) == 1
    assert len(selecting.ledger.records(pilot=PROGRAMME, kind=["selection"])) == 1


def test_the_report_counts_the_refused_candidate_once(ledger) -> None:
    assert report(ledger, [], [P02])["refused"] == 0
    choose_pilots(ledger)
    document = report(ledger, [], [P02])
    assert (document["refused"], document["goal"], document["live"]) == (1, 1, 0)
    p10 = P02.model_copy(update={"id": "p10"})
    ledger.record("p10", "refused", "intake", {"stage": "intake", "by": "policy", "reason": "very_secret"})
    assert report(ledger, [], [P02, p10])["refused"] == 1
    ledger.record("p02", "refused", "cutover", {"stage": "cutover", "by": "approver1", "reason": ""})
    assert report(ledger, [], [P02, p10])["refused"] == 2
