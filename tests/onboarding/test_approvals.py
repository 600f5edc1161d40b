"""Approvals: two people, in sequence, neither of whom asked, on what they saw, for as long as it is fresh."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onboarding.approvals import (
    Person,
    ask,
    candidates,
    digest,
    evidence_digest,
    given,
    may_cut_over,
    record,
    standing,
)  # fmt: skip
from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.observations import Answer

HOUR = timedelta(hours=1)
PEOPLE = {
    "platform": Person("1", "platform", "Platform", ("platform",)),
    "approver1": Person("2", "approver1", "One", ("approver",)),
    "approver2": Person("3", "approver2", "Two", ("approver",)),
    "boss": Person("4", "boss", "Boss", ("approver", "platform")),
    "guest": Person("5", "guest", "Guest", ("stakeholder",)),
    "boss_again": Person("4", "boss_again", "Boss", ("approver",)),
}
ALLOWED = ("approver1", "approver2", "boss", "guest", "boss_again", "nobody")


def logins(requester: str | None, *earlier: str, allowed=ALLOWED) -> list[str]:
    return [person.login for person in candidates(PEOPLE, allowed, requester, earlier)]


def test_the_right_people_are_asked():
    assert logins("platform") == ["approver1", "approver2", "boss", "boss_again"]
    assert logins("platform", "approver1") == ["approver2", "boss", "boss_again"]
    assert logins("boss") == ["approver1", "approver2"]
    assert logins("approver1", "approver2", allowed=("approver1", "approver2", "boss")) == ["boss"]


@pytest.mark.parametrize("requester", [None, "", "somebody"])
def test_an_unknown_requester_stops(requester):
    with pytest.raises(Stop) as refused:
        logins(requester)
    assert refused.value.key == "approvals.requester_unknown"


def test_nobody_left_stops_because_an_empty_list_means_anyone():
    for requester, earlier in (("approver1", ("approver2",)), ("approver2", ("approver1",))):
        with pytest.raises(Stop) as refused:
            logins(requester, *earlier, allowed=("approver1", "approver2"))
        assert refused.value.key == "approvals.nobody_left"


class Scene:
    """A rehearsed pilot and the shorthand to answer about it."""

    def __init__(self, ledger, house) -> None:
        self.ledger, self.house, self.of = ledger, house, "d1"

    def answer(self, who: str, ordinal: int, decision="approve", *, of="", run="r1", requester="platform"):
        return record(
            self.ledger, "p02", of or self.of, who, decision,
            automated=True, ordinal=ordinal, requester=requester, run=run,
        )  # fmt: skip

    def verdict(self, *, of="", after=timedelta(0), requester: str | None = "platform") -> tuple[Answer, str]:
        now = self.house.clock.now + after
        seen = may_cut_over(self.ledger, "p02", of or self.of, HOUR, now, requester=requester)
        return seen.answer, seen.why

    def counted(self, **how) -> list[str]:
        return [one.approver for one in standing(self.ledger, "p02", self.of, **how)]


@pytest.fixture
def scene(ledger, house) -> Scene:
    return Scene(ledger, house)


PASSES = (Answer.PASS, "")


def test_two_in_sequence_open_the_way(scene):
    assert scene.verdict() == (Answer.FAIL, "approvals.too_few")
    scene.answer("approver1", 1)
    assert scene.verdict() == (Answer.FAIL, "approvals.too_few")
    scene.answer("approver2", 2)
    assert scene.verdict() == PASSES
    assert scene.counted() == ["approver1", "approver2"]
    assert all(one.automated and one.at for one in given(scene.ledger, "p02"))


def test_the_same_answer_again_is_not_written_twice(scene):
    assert scene.answer("approver1", 1) == scene.answer("approver1", 1)
    scene.answer("approver1", 1, run="r2")
    assert len(scene.ledger.records(kind="approval")) == 2


def test_a_second_without_a_first_does_not_count(scene):
    scene.answer("approver2", 2)
    assert scene.verdict() == (Answer.FAIL, "approvals.too_few")
    scene.answer("approver1", 1)
    assert scene.counted() == ["approver1"]
    scene.answer("approver2", 2, run="r2")
    assert scene.verdict() == PASSES


def test_one_person_cannot_be_both(scene):
    scene.answer("approver1", 1)
    with pytest.raises(Stop):
        scene.answer("Approver1", 2)
    scene.ledger.record("p02", "approval", "cutover", dict(given_body(scene)) | {"ordinal": 2})
    assert scene.verdict()[0] is Answer.FAIL


def given_body(scene):
    return scene.ledger.latest("p02", "approval").body


@pytest.mark.parametrize(("approver", "requester"), [("boss", "boss"), ("Boss", "boss"), ("", "boss"), ("boss", "")])
def test_who_asked_cannot_answer(scene, approver, requester):
    with pytest.raises(Stop):
        scene.answer(approver, 1, requester=requester)


def test_who_asks_for_this_run_does_not_count_though_they_answered_another_persons_run(scene):
    scene.answer("approver1", 1)
    scene.answer("approver2", 2)
    assert scene.verdict(requester="approver2") == (Answer.FAIL, "approvals.not_theirs")
    assert scene.verdict(requester=None) == (Answer.FAIL, "approvals.requester_unknown")


def test_an_approval_grows_old(scene):
    scene.answer("approver1", 1)
    scene.house.clock.now += timedelta(minutes=30)
    scene.answer("approver2", 2)
    assert scene.verdict(after=timedelta(minutes=29)) == PASSES
    assert scene.verdict(after=timedelta(minutes=31)) == (Answer.FAIL, "approvals.too_old")
    assert scene.verdict(after=timedelta(hours=-2)) == (Answer.FAIL, "approvals.too_old")


def test_another_digest_voids(scene):
    scene.answer("approver1", 1)
    scene.answer("approver2", 2)
    assert scene.verdict(of="d2") == (Answer.FAIL, "approvals.changed")
    scene.answer("approver1", 1, of="d2")
    scene.answer("approver2", 2, of="d1", run="r2")
    assert scene.verdict(of="d2")[0] is Answer.FAIL


def test_a_reject_voids_what_came_before(scene):
    scene.answer("approver1", 1)
    scene.answer("approver2", 2, "reject")
    assert scene.verdict() == (Answer.FAIL, "approvals.rejected")
    scene.answer("approver2", 2, run="r2")
    assert scene.verdict()[0] is Answer.FAIL
    scene.answer("approver1", 1, run="r2")
    scene.answer("approver2", 2, run="r3")
    assert scene.verdict() == PASSES


def test_another_pilots_and_another_purposes_approvals_do_not_count(scene):
    for purpose, pilot in (("way_back", "p02"), ("cutover", "p05")):
        for ordinal, who in enumerate(("approver1", "approver2"), 1):
            record(
                scene.ledger, pilot, "d1", who, "approve",
                automated=False, ordinal=ordinal, requester="platform", purpose=purpose,
            )  # fmt: skip
    assert scene.verdict() == (Answer.FAIL, "approvals.too_few")


def test_a_purpose_may_need_one_only(scene):
    def verdict() -> Answer:
        now = scene.house.clock.now
        return may_cut_over(
            scene.ledger, "p02", "d", HOUR, now, requester="platform", purpose="way_back", needed=1
        ).answer

    assert verdict() is Answer.FAIL
    record(
        scene.ledger, "p02", "d", "boss", "approve",
        automated=False, ordinal=1, requester="platform", purpose="way_back",
    )  # fmt: skip
    assert verdict() is Answer.PASS


def test_asking_leaves_who_is_asked_once(scene):
    for _ in range(2):
        ask(scene.ledger, "p02", "d1", 1, [PEOPLE["approver1"]], run="r1")
    (asked,) = scene.ledger.records(kind="approval_asked")
    assert asked.body == {"digest": "d1", "ordinal": 1, "people": ["approver1"]}


def test_the_digest_covers_manifest_plan_and_evidence():
    base = digest("m", {"steps": [1, 2]}, "e")
    assert len({base, digest("n", {"steps": [1, 2]}, "e"), digest("m", {"steps": [2, 1]}, "e"),
                digest("m", {"steps": [1, 2]}, "f"), digest("m", {}, "e")}) == 5  # fmt: skip
    assert base == digest("m", {"steps": [1, 2]}, "e")


def test_evidence_counts_up_to_the_rehearsal_and_changes_void(ledger):
    with pytest.raises(Stop):
        evidence_digest(ledger, "p02")
    ledger.record("p02", "reconciled", "registry", {"unaccounted": 0})
    ledger.record("p02", "rehearsal", "cutover", {"fits": True})
    base = evidence_digest(ledger, "p02")

    ledger.record("p05", "reconciled", "catalogue", {})
    ledger.record("p02", "observation", "window", {"final": True})
    ledger.record("p02", "approval", "cutover", {})
    ledger.record("p02", "stage", "cutover", {"stage": "cutover", "state": "entered"})
    assert evidence_digest(ledger, "p02") == base

    ledger.record("p02", "reconciled", "registry", {"unaccounted": 1})
    again = evidence_digest(ledger, "p02")
    assert again != base

    state = CutoverState
    ledger.advance("p02", expected=state.PLANNED, to=state.REHEARSED, body={})
    ledger.advance("p02", expected=state.REHEARSED, to=state.FROZEN, body={})
    ledger.record("p02", "moved_rows", "registry", {"rows": 1})
    ledger.record("p02", "reconciled", "registry", {"unaccounted": 0})
    assert evidence_digest(ledger, "p02") == again

    ledger.record("p02", "rehearsal", "cutover", {"fits": True})
    assert evidence_digest(ledger, "p02") != again
