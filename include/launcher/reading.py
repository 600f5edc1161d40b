"""Looking at what runs: the evidence's proof and the figures."""

from __future__ import annotations

import argparse
import json

from launcher import result, settings
from launcher.checkout import Checkout
from launcher.screen import Screen
from onboarding.manifests import load_folder

NOT_SO = 1


def verify_evidence(_asked: argparse.Namespace) -> int:
    """0 when the ledger is the one that was written and anchored; else says, in both languages, what is wrong."""
    checkout, screen = Checkout(), Screen("en")
    if not _runs(checkout, screen):
        return NOT_SO
    proof = result.verification(checkout, result.open_ledger(checkout))
    screen.say("summary.ledger", records=proof.records, head=proof.head.hash, verified=proof.ok)
    for problem in proof.problems:
        screen.print(problem.render("th"))
        screen.print(problem.render("en"))
    return 0 if proof.ok else NOT_SO


def report(asked: argparse.Namespace) -> int:
    """The figures as JSON; 0 when what must be zero is zero and the ledger is verified."""
    checkout, screen = Checkout(), Screen("en")
    if not _runs(checkout, screen):
        return NOT_SO
    manifests = load_folder(checkout.pilots()).manifests
    chosen = settings.load(checkout).pilots
    figures = result.figures(checkout, {pilot: manifests[pilot] for pilot in chosen}, 0.0)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    if asked.report:
        asked.report.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0 if not list(result.broken(figures, {})) else NOT_SO


def _runs(checkout: Checkout, screen: Screen) -> bool:
    running = checkout.state.exists() and checkout.is_locked() and (checkout.run / "home_database.json").exists()
    if not running:
        screen.say("not_running")
    return running
