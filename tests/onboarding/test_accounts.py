"""Account vending against a hand-written Organizations: adopt, retry, ask, stop, and being killed anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fake_organizations import FakeOrganizations, FakeQuotas, Killed
from once_in_memory import OnceInMemory

from onboarding import accounts
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.manifest import Manifest
from onboarding.manifests import load_file
from onboarding.observations import Answer

PILOTS = Path(__file__).parents[2] / "include" / "pilots"
DOMAIN = "pilots.gov.example"
EMAIL = "p02-prod@pilots.gov.example"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def manifest() -> Manifest:
    return load_file(PILOTS / "p02.yaml")


class Vending:
    """One pilot's caller: everything but the world may be lost between two calls."""

    def __init__(self, manifest: Manifest) -> None:
        self.organizations, self.quotas, self.once = FakeOrganizations(), FakeQuotas(), OnceInMemory()
        self.manifest = manifest

    def request(self) -> str:
        return accounts.request_account(self.organizations, self.quotas, self.manifest, DOMAIN, self.once)  # type: ignore[arg-type]

    def observe(self, requested: str) -> Any:
        return accounts.observe_creation(self.organizations, requested, self.manifest, DOMAIN, NOW)  # type: ignore[arg-type]


@pytest.fixture
def vending(manifest: Manifest) -> Vending:
    return Vending(manifest)


def test_name_and_email_are_ascii_short_and_settled(manifest: Manifest) -> None:
    assert accounts.account_email(manifest, DOMAIN) == EMAIL
    assert accounts.account_name(manifest) == "p02-prod-province_b"
    longest = manifest.model_copy(update={"id": "p0002", "agency": manifest.agency.model_copy(update={"id": "a" * 31})})
    assert len(accounts.account_name(longest)) <= 50
    with pytest.raises(Stop):
        accounts.account_email(manifest, "d" * 60 + ".example")
    with pytest.raises(Stop):
        accounts.account_email(manifest, "นำร่อง.example")


def test_asked_for_once_and_unknown_until_it_is_active(vending: Vending) -> None:
    requested = vending.request()
    assert vending.observe(requested).answer is Answer.UNKNOWN
    assert vending.request() == requested
    vending.organizations.settle()
    (account,) = vending.organizations.accounts.values()
    account["State"] = "PENDING_ACTIVATION"
    assert vending.observe(requested).answer is Answer.UNKNOWN
    account["State"] = "ACTIVE"
    assert vending.observe(requested).answer is Answer.PASS
    assert vending.organizations.created == 1
    assert vending.organizations.tags[account["Id"]]["namrong:pilot"] == "p02"


def test_killed_at_every_step_there_is_still_one_account(manifest: Manifest) -> None:
    """Dies at the n-th call, with and without AWS finishing meanwhile, until a run lives to its end."""
    for settles in (False, True):
        deaths = 0
        for steps in range(100):
            vending = Vending(manifest)
            vending.organizations.steps_to_live = steps
            try:
                vending.request()
            except Killed:
                deaths += 1
            else:
                break
            if settles:
                vending.organizations.settle()
            vending.organizations.steps_to_live = float("inf")
            requested = vending.request()
            vending.organizations.settle()
            assert vending.observe(requested).answer is Answer.PASS
            assert vending.organizations.created == 1, f"killed at step {steps}"
            assert len(vending.organizations.accounts) == 1
        assert deaths >= 6


def test_an_account_that_is_there_is_adopted_and_tagged(vending: Vending) -> None:
    account = vending.organizations.add_account(EMAIL.upper())
    assert vending.request() == account
    assert vending.organizations.created == 0
    assert vending.organizations.tags[account]["namrong:pilot"] == "p02"
    assert vending.observe(account).answer is Answer.PASS


def test_another_pilots_account_is_never_adopted(vending: Vending) -> None:
    vending.organizations.add_account(EMAIL, namrong_pilot="p05")
    with pytest.raises(Stop, match="pilot p05"):
        vending.request()


def test_a_closing_account_stops(vending: Vending) -> None:
    vending.organizations.add_account(EMAIL, state="PENDING_CLOSURE")
    with pytest.raises(Stop, match="90 days"):
        vending.request()


def test_email_taken_by_a_racer_inside_is_adopted(vending: Vending) -> None:
    requested = vending.request()
    account = vending.organizations.add_account(EMAIL)  # somebody was faster
    vending.organizations.settle()
    assert vending.observe(requested).answer is Answer.PASS
    assert vending.request() == account


def test_email_taken_outside_stops(vending: Vending) -> None:
    vending.organizations.taken_outside.add(EMAIL)
    requested = vending.request()
    vending.organizations.settle()
    seen = vending.observe(requested)
    assert (seen.answer, seen.why) == (Answer.FAIL, "accounts.email_taken_outside")
    with pytest.raises(Stop, match="outside our organization"):
        vending.request()
    assert vending.organizations.created == 1


def test_a_full_quota_asks_with_numbers_and_goes_on_when_raised(vending: Vending) -> None:
    vending.quotas.quota = 2.0
    for number in range(2):
        vending.organizations.add_account(f"other{number}@example.org", state="SUSPENDED")
    with pytest.raises(AskPerson, match="2 of 2"):
        vending.request()
    assert vending.organizations.created == 0
    vending.quotas.quota = 3.0
    vending.request()
    assert vending.organizations.created == 1


def test_without_a_quota_of_ours_the_default_counts(vending: Vending) -> None:
    vending.quotas.quota = None
    for number in range(10):
        vending.organizations.add_account(f"other{number}@example.org")
    with pytest.raises(AskPerson, match="10 of 10"):
        vending.request()


def test_after_a_mended_failure_the_next_request_is_a_new_intent(vending: Vending) -> None:
    vending.organizations.outcome = "ACCOUNT_LIMIT_EXCEEDED"
    first = vending.request()
    vending.organizations.settle()
    failed = vending.observe(first)
    assert (failed.answer, failed.values["action"]) == (Answer.FAIL, "ask")
    vending.organizations.outcome = None
    second = vending.request()
    assert second != first
    assert vending.request() == second
    vending.organizations.settle()
    assert vending.observe(second).answer is Answer.PASS
    assert sorted(vending.once.intents) == [
        f"organizations:CreateAccount:-:{EMAIL}",
        f"organizations:CreateAccount:-:{EMAIL}#2",
    ]


def test_a_failure_that_nothing_mends_stops_and_one_that_never_ends_asks(vending: Vending) -> None:
    vending.organizations.outcome = "INVALID_EMAIL"
    vending.request()
    vending.organizations.settle()
    with pytest.raises(Stop, match="INVALID_EMAIL"):
        vending.request()

    endless = Vending(vending.manifest)
    endless.organizations.outcome = "INTERNAL_FAILURE"
    for _ in range(accounts.ATTEMPTS):
        endless.request()
        endless.organizations.settle()
    with pytest.raises(AskPerson, match="INTERNAL_FAILURE"):
        endless.request()
    assert endless.organizations.created == accounts.ATTEMPTS


def test_a_succeeded_request_whose_account_is_suspended_fails(vending: Vending) -> None:
    requested = vending.request()
    vending.organizations.settle()
    next(iter(vending.organizations.accounts.values()))["State"] = "SUSPENDED"
    assert vending.observe(requested).answer is Answer.FAIL


def test_account_id_of(vending: Vending) -> None:
    with pytest.raises(TryAgain):
        accounts.account_id_of(vending.organizations, vending.manifest, DOMAIN)  # type: ignore[arg-type]
    account = vending.organizations.add_account(EMAIL)
    assert accounts.account_id_of(vending.organizations, vending.manifest, DOMAIN) == account  # type: ignore[arg-type]
