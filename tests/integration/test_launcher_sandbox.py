"""What the launcher tells the sandbox once the agencies are up: where they are, and that there is room for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_process import ask, running

from launcher.checkout import Checkout
from launcher.components import tell_sandbox
from sandbox.agencies.profiles import PROFILES


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[dict[str, Any]]:
    (tmp_path / "cloud").mkdir()
    with running(tmp_path / "cloud") as made:
        yield made


def test_the_organization_has_room_for_all_ten_and_their_names_resolve(cloud: dict[str, Any], tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.run.mkdir(parents=True)
    sides = {p.pilot: {} for p in PROFILES.values()}
    names = {p.name: f"127.5.5.{p.host_octet}" for p in PROFILES.values()}
    (checkout.run / "sandbox.json").write_text(json.dumps(cloud))
    (checkout.run / "agencies.json").write_text(json.dumps({"pilots": sides, "names": names}))
    assert ask(cloud, "settings")["account_quota"] == 10  # a new organization's: its own account and nine more

    tell_sandbox(checkout.run)

    assert ask(cloud, "settings")["account_quota"] >= 1 + len(sides) == 11
    assert (
        ask(cloud, "names").items()
        >= {"db.p01.agency.example": "127.5.5.201", "db.p11.agency.example": "127.5.5.211"}.items()
    )
