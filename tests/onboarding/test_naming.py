"""Whoever leads the service's name: what the night has to know about it is known either way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from onboarding.cutover.runbook import BY_NAME
from onboarding.manifest import Traffic
from onboarding.manifests import load_folder
from onboarding.stages import naming, naming_by_hand, naming_by_weights
from onboarding.stages.pilot import Pilot

PILOTS = Path(__file__).parents[2] / "include" / "pilots"
RECORD = "registry.go.th.example"
BY_WEIGHTS = Traffic(mode="route53", zone="go.th.example", record=RECORD, ttl_s=60, step=timedelta(0))
BY_HAND = Traffic(mode="manual", record=RECORD, ttl_s=300, step=timedelta(0), change_within=timedelta(minutes=10))


def pilot_named(traffic: Traffic) -> Pilot:
    """A pilot that has nothing but its manifest: whoever touches a cloud or a ledger fails."""
    manifest = load_folder(PILOTS).manifests["p02"]
    cutover = manifest.cutover.model_copy(update={"traffic": traffic})
    return cast(Pilot, SimpleNamespace(manifest=manifest.model_copy(update={"cutover": cutover})))


@pytest.mark.parametrize(("traffic", "way"), [(BY_WEIGHTS, naming_by_weights), (BY_HAND, naming_by_hand)])
def test_a_name_is_led_by_whom_the_manifest_says(traffic: Traffic, way: object) -> None:
    assert naming.who_leads(pilot_named(traffic)) is way


@pytest.mark.parametrize("traffic", [BY_WEIGHTS, BY_HAND], ids=lambda one: one.mode)
def test_how_long_a_turn_takes_is_either_rehearsed_or_the_agencys_word(traffic: Traffic) -> None:
    pilot = pilot_named(traffic)
    way = naming.who_leads(pilot)
    rehearsed, told = {name for name, _ in way.rehearsal(pilot)}, set(way.agency_needs(pilot))
    assert ("traffic" in rehearsed) != ("traffic" in told)
    assert rehearsed | told <= set(BY_NAME)


def test_by_hand_nothing_is_turned_by_us_and_an_older_answer_is_waited_for_after_the_change() -> None:
    pilot = pilot_named(BY_HAND)
    way = naming.who_leads(pilot)
    way.prepare(pilot)
    way.turn_rehearsal_back(pilot)
    assert way.before_freeze(pilot) == {}
    assert way.agency_needs(pilot) == {"traffic": 900, "turn_back": 900}


def test_by_weights_an_older_ttl_has_to_run_out_before_the_freeze_and_nobody_is_waited_for() -> None:
    pilot = pilot_named(BY_WEIGHTS)
    assert set(naming.who_leads(pilot).before_freeze(pilot)) == {"ttl"}
    assert naming.who_leads(pilot).agency_needs(pilot) == {}
