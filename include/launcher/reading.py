"""Looking at what runs: the evidence's proof and the figures."""

from __future__ import annotations

import argparse
import json

from launcher import result, settings
from launcher.checkout import Checkout
from launcher.journeys import RunningCheckout
from launcher.screen import Screen
from onboarding.manifests import load_folder
from onboarding.programme import commands

NOT_SO = 1


def verify_evidence(asked: argparse.Namespace) -> int:
    """0 when the ledger is the one that was written and anchored; else says what is wrong."""
    checkout, screen = Checkout(), Screen(asked.lang)
    if not is_up(checkout, screen):
        return NOT_SO
    running = RunningCheckout(checkout)
    s3 = running.management.client("s3") if running.anchors() else None
    return commands.verify_evidence(running.ledger, s3, running.bucket, asked.lang, screen.print)


def report(asked: argparse.Namespace) -> int:
    """The figures as JSON; 0 when the goal is met with nothing lost or doubled."""
    checkout, screen = Checkout(), Screen("en")
    if not is_up(checkout, screen):
        return NOT_SO
    manifests = load_folder(checkout.pilots()).manifests
    chosen = settings.load(checkout).pilots
    document = result.figures(checkout, {pilot: manifests[pilot] for pilot in chosen})
    text = json.dumps(document, indent=1, ensure_ascii=False)
    if asked.report:
        asked.report.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return NOT_SO if list(result.broken(document, {})) else 0


def is_up(checkout: Checkout, screen: Screen) -> bool:
    """Whether something runs in this checkout; said when not."""
    running = checkout.is_locked() and (checkout.run / "airflow_setup.json").exists()
    if not running:
        screen.say("not_running")
    return running
