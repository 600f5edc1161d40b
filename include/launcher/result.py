"""The figures at the end: every live pilot compared once more, and whether all of it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from launcher import witnesses
from launcher.checkout import Checkout
from launcher.journeys import RunningCheckout
from launcher.screen import Screen
from onboarding.manifest import Manifest
from onboarding.programme.commands import show_report
from onboarding.programme.progress import where
from onboarding.programme.report import report, shortfalls
from onboarding.stages import validation

Document = dict[str, Any]
MOMENT = "report"


def figures(checkout: Checkout, manifests: Mapping[str, Manifest]) -> Document:
    """The report of now: what lies on both sides is compared anew before it is counted."""
    running = RunningCheckout(checkout)
    pilots = {pilot: running.pilot(manifest, manifests) for pilot, manifest in manifests.items()}
    with witnesses.resting(running, manifests) as logs:
        for pilot in pilots.values():
            if where(running.ledger, pilot.id).stage == "live":
                validation.compare_again(pilot, MOMENT)
        told = {name: witnesses.judged(pilots[name], log) for name, log in logs.items()}
    document = report(running.ledger, running.audit_entries(), list(manifests.values()), anchors=running.anchors())
    for of in document["pilots"]:
        if of["id"] in told:
            of["witness"] = told[of["id"]]
    return document


def broken(document: Mapping[str, Any], states: Mapping[str, str]) -> Iterator[str]:
    """What does not hold; `states` are the runs' states in Airflow. Nothing, when all of it does."""
    yield from (f"{pilot}: run {state}" for pilot, state in states.items() if state != "success")
    yield from (f"{name}: {document.get(name)}" for name in shortfalls(document))
    yield from witnesses.shortfalls(document)


def show(document: Mapping[str, Any], states: Mapping[str, str], screen: Screen, beside: Iterable[str] = ()) -> bool:
    """Prints the summary; whether all of it holds, and nothing `beside` it is wrong."""
    show_report(document, screen.language, screen.print)
    for pilot in document["pilots"]:
        if "witness" in pilot:
            screen.say("witness", pilot=pilot["id"], **pilot["witness"])
    wrong = [*broken(document, states), *beside]
    for line in wrong:
        screen.print(f"  ✘ {line}")
    return not wrong
