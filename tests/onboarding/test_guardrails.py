"""Policies kept as files: their size, their holes, and that they agree with the programme's other tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from onboarding import guardrails
from onboarding.baseline import roles
from onboarding.errors import Stop
from onboarding.guardrails import SIZE, load_guardrails
from onboarding.policy import load_policy
from onboarding.policy_documents import FOLDER, document, same_policy


def statements(name: str, **values: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(document(name, **values))["Statement"]
    return found


def test_every_guardrail_fits_and_is_of_its_type() -> None:
    loaded = load_guardrails("o-abc1234567")
    assert len(loaded) == len(list((FOLDER / "guardrails").glob("*.json"))) >= 4
    for guardrail in loaded:
        assert len(guardrail.content) <= SIZE
        denies = json.loads(guardrail.content)["Statement"]
        assert {statement["Effect"] for statement in denies} == {"Deny"}
        principals = {statement.get("Principal") for statement in denies}
        assert principals == ({"*"} if guardrail.type == "RESOURCE_CONTROL_POLICY" else {None})
    assert {guardrail.type for guardrail in loaded} == {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}


def test_a_guardrail_that_is_too_long_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guardrails, "SIZE", 100)
    with pytest.raises(Stop, match="AWS takes 100"):
        load_guardrails("o-abc1234567")


def test_the_confused_deputy_is_measured_by_our_organization() -> None:
    (deputy, _) = statements("guardrails/rcp_our_organization", organization_id="o-abc1234567")
    assert deputy["Condition"]["StringNotEqualsIfExists"]["aws:SourceOrgID"] == "o-abc1234567"


def test_denied_regions_are_those_that_the_policy_does_not_allow() -> None:
    (regions,) = statements("guardrails/scp_regions")
    kept = regions["Condition"]["StringNotEquals"]["aws:RequestedRegion"]
    assert sorted(kept) == sorted(load_policy().regions.allowed)


def test_guardrails_let_the_onboarding_role_do_its_work() -> None:
    """What the SCPs deny to everybody is nothing that the role is given."""
    given = {action for statement in statements("roles/onboarding") for action in _listed(statement["Action"])}
    for name in ("scp_stay", "scp_protect"):
        for statement in statements(f"guardrails/{name}"):
            if "Condition" not in statement and statement.get("Resource") == "*":
                assert not given & set(_listed(statement["Action"])), statement["Sid"]


def test_a_hole_in_a_policy_stops(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="account_id"):
        document("resources/key")
    assert "<" not in document("resources/key", account_id="123456789012")


def test_policies_are_compared_by_what_they_say() -> None:
    one = document("resources/bucket", bucket="a")
    assert same_policy(one, json.dumps(json.loads(one), indent=3))
    assert same_policy(quote(one), json.loads(one))
    assert not same_policy(one, document("resources/bucket", bucket="b"))


def test_external_ids_differ_by_pilot_and_key_and_fit_sts() -> None:
    made = {roles.external_id(key, pilot) for key in ("a", "b") for pilot in ("p02", "p05")}
    assert len(made) == 4
    assert roles.external_id("a", "p02") in made
    assert all(len(each) == 64 and each.isalnum() and each.isascii() for each in made)


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
