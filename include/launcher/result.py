"""The figures at the end, read from the ledger and the sandbox's own audit log, and whether all of it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import Request, urlopen

import boto3

from launcher.checkout import Checkout
from launcher.components import read
from launcher.connections import anchor_bucket
from launcher.home_database import HOST, LEDGER_WRITER
from launcher.screen import Screen
from onboarding import evidence
from onboarding.addresses import Database
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.programme.report import report

Figures = dict[str, Any]
MUST_BE_ZERO = ("unaccounted_rows", "unaccounted_files", "duplicate_side_effects")


def open_ledger(checkout: Checkout) -> Ledger:
    """The running ledger."""
    home = read(checkout.run / "home_database.json")
    return Ledger(Database(HOST, home["port"], "ledger", LEDGER_WRITER, checkout.secrets()["ledger_writer"]))


def verification(checkout: Checkout, ledger: Ledger) -> evidence.Verification:
    """The proof of the ledger, against the anchors in the sandbox's bucket."""
    cloud = read(checkout.run / "sandbox.json")
    s3 = boto3.client(
        "s3", endpoint_url=cloud["aws_endpoint_url"], region_name=cloud["region"],
        aws_access_key_id=cloud["access_key"], aws_secret_access_key=cloud["secret_key"],
    )  # fmt: skip
    return evidence.verify(ledger, evidence.read_anchors(s3, anchor_bucket(cloud)))


def audit_entries(checkout: Checkout) -> list[dict[str, Any]]:
    """What the sandbox itself wrote down of every changing call."""
    cloud = read(checkout.run / "sandbox.json")
    request = Request(f"{cloud['endpoint']}/_sandbox/audit", headers={"X-Sandbox-Token": cloud["token"]})
    with urlopen(request, timeout=60) as answer:
        entries: list[dict[str, Any]] = json.load(answer)["entries"]
    return entries


def figures(checkout: Checkout, manifests: Mapping[str, Manifest], seconds: float) -> Figures:
    """The report's JSON."""
    ledger = open_ledger(checkout)
    found = report(ledger, audit_entries(checkout), manifests)
    return {**found, "seconds": round(seconds, 1), "sandbox": True}


def broken(figures: Figures, states: Mapping[str, str]) -> Iterator[str]:
    """What does not hold: nothing, when the demonstration showed what it is to show."""
    for pilot, state in states.items():
        if state != "success":
            yield f"{pilot}: run {state}"
    for pilot in figures["pilots"]:
        if pilot["state"] != "live":
            yield f"{pilot['id']}: {pilot['state']}"
    for name in MUST_BE_ZERO:
        if figures[name] != 0:
            yield f"{name}: {figures[name]}"
    if figures["ledger"]["verified"] is not True:
        yield "ledger: not verified"


def show(figures: Figures, states: Mapping[str, str], screen: Screen) -> bool:
    """Prints the summary; whether all of it holds."""
    for pilot in figures["pilots"]:
        screen.say(
            "summary.pilot", **{"pilot": pilot["id"], **{k: v if v is not None else 0 for k, v in pilot.items()}}
        )
    screen.say("summary.totals", **{key: value for key, value in figures.items() if key not in ("pilots", "ledger")})
    screen.say("summary.ledger", **figures["ledger"])
    wrong = list(broken(figures, states))
    screen.say("summary.broken" if wrong else "summary.holds")
    for line in wrong:
        screen.print(f"  {line}")
    return not wrong
