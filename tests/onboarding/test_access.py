"""Looking at the agency's access while it is being given: whenever that ends, nobody is told that it was taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onboarding.access_observed import observe_access
from onboarding.access_register import access_name
from onboarding.manifests import load_file
from onboarding.observations import Answer
from onboarding.policy_documents import document

MANIFEST = load_file(Path(__file__).parents[2] / "include" / "pilots" / "p02.yaml")
NOW = datetime(2026, 11, 23, 1, 26, tzinfo=UTC)
ACCOUNT = "123456789012"
LOOKS = 8  # more calls than one observation makes


class IdentityCenter:
    """One permission set in its time box, and one request for access that succeeds after so many calls."""

    def __init__(self, ends_after: int, *, given: bool = True) -> None:
        self.left, self.given = ends_after, given

    def _tick(self) -> bool:
        self.left -= 1
        return self.left < 0

    def get_paginator(self, name: str) -> Any:
        center = self

        class Pages:
            def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
                yield getattr(center, name)()

        return Pages()

    def list_instances(self, **_: Any) -> dict[str, Any]:
        self._tick()
        return {"Instances": [{"InstanceArn": "arn:i", "IdentityStoreId": "d-1"}]}

    def list_permission_sets(self) -> dict[str, Any]:
        self._tick()
        return {"PermissionSets": ["arn:set"]}

    def describe_permission_set(self, **_: Any) -> dict[str, Any]:
        self._tick()
        return {"PermissionSet": {"Name": access_name(MANIFEST)}}

    def get_inline_policy_for_permission_set(self, **_: Any) -> dict[str, Any]:
        self._tick()
        expires = (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = document("access/agency", expires=expires)
        return {"InlinePolicy": made if isinstance(made, str) else json.dumps(made)}

    def list_account_assignments(self) -> dict[str, Any]:
        there = self._tick() and self.given
        return {"AccountAssignments": [{"PrincipalType": "GROUP", "PrincipalId": "g"}] if there else []}

    def list_account_assignment_creation_status(self, **_: Any) -> dict[str, Any]:
        self._tick()
        return {"AccountAssignmentsCreationStatus": [{"RequestId": "r", "CreatedDate": NOW}]}

    def describe_account_assignment_creation_status(self, **_: Any) -> dict[str, Any]:
        status = "SUCCEEDED" if self._tick() else "IN_PROGRESS"
        told = {"Status": status, "TargetId": ACCOUNT, "PermissionSetArn": "arn:set"}
        return {"AccountAssignmentCreationStatus": told}


@pytest.mark.parametrize("ends_after", range(LOOKS))
def test_given_between_two_looks_is_given_or_on_its_way(ends_after: int) -> None:
    center: Any = IdentityCenter(ends_after)
    seen = observe_access(center, MANIFEST, ACCOUNT, NOW)
    assert seen.answer in (Answer.PASS, Answer.UNKNOWN), seen
    assert observe_access(center, MANIFEST, ACCOUNT, NOW).answer is Answer.PASS  # by then it has ended


def test_what_was_taken_away_is_said_to_be() -> None:
    center: Any = IdentityCenter(0, given=False)
    assert observe_access(center, MANIFEST, ACCOUNT, NOW).observed["access"] == "taken away"
