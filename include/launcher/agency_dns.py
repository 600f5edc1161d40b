"""The agencies' own DNS in the sandbox: how a record there is changed, and who does so in a demonstration."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError

from launcher.checkout import Checkout
from launcher.components import ask_sandbox, read
from launcher.reading import NOT_SO, is_up
from launcher.screen import Screen
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.stages import naming_by_hand

CHANGES_AFTER_S = 5.0
"""A person needs a moment; for so long gate `named` is seen to wait for the agency."""

Say = Callable[..., None]


class Administrators:
    """The demonstration's: a program that changes an agency's record when its journey asks for it, and says so."""

    def __init__(self, cloud: Mapping[str, Any], ledger: Ledger, manifests: Iterable[Manifest], say: Say) -> None:
        self._cloud, self._ledger, self._say = cloud, ledger, say
        traffics = {manifest.id: manifest.cutover.traffic for manifest in manifests}
        self._records = {pilot: traffic.record for pilot, traffic in traffics.items() if traffic.mode == "manual"}
        self._done: dict[str, int] = {}

    @property
    def records(self) -> tuple[str, ...]:
        """The names that agencies of these pilots keep themselves."""
        return tuple(self._records.values())

    def act(self) -> None:
        """Once per poll: every record that was asked for a while ago leads where it was asked to."""
        for pilot, record in self._records.items():
            asked = self._ledger.latest(pilot, naming_by_hand.ASKED, record)
            if asked is None or asked.seq == self._done.get(pilot):
                continue
            if (datetime.now(UTC) - asked.at).total_seconds() < CHANGES_AFTER_S:
                continue
            ask_sandbox(self._cloud, "names", {record: asked.body["host"]})
            self._done[pilot] = asked.seq
            self._say("own_dns.by_program", pilot=pilot, record=record, host=asked.body["host"])


def command(asked: argparse.Namespace) -> int:
    """As an agency's administrator: one record leads elsewhere from now on. 1 when it cannot be."""
    checkout, screen = Checkout(), Screen(asked.lang)
    if not is_up(checkout, screen):
        return NOT_SO
    sides = read(checkout.run / "agencies.json")["pilots"].values()
    own = sorted(side["own_name"] for side in sides if side["own_name"])
    if asked.record not in own:
        screen.say("own_dns.not_theirs", record=asked.record, known=", ".join(own) or "-")
        return NOT_SO
    try:
        ask_sandbox(read(checkout.run / "sandbox.json"), "names", {asked.record: asked.host})
    except HTTPError as refusal:
        screen.say("own_dns.refused", host=asked.host, reason=refusal.read().decode(errors="replace"))
        return NOT_SO
    screen.say("own_dns.changed", record=asked.record, host=asked.host)
    return 0
