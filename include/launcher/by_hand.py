"""An engine or the verifier by itself, from the command line: moved and proven, different, refused, or failed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module

from launcher.by_hand_report import Report, writable
from launcher.by_hand_voice import Voice
from onboarding.errors import OnboardingError, Stop

PROVEN, DIFFERENT, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

ENGINES = {"database": "copy", "files": "upload"}
"""How each is moved. What is followed needs a journey: somebody who watches until the switch."""

Work = Callable[[argparse.Namespace, Voice, Report], bool]


def move(asked: argparse.Namespace) -> int:
    """Moves one database or folder and proves it."""
    return _answered(asked, "move")


def reconcile(asked: argparse.Namespace) -> int:
    """Compares two databases, or a folder and a bucket; nothing is written anywhere."""
    return _answered(asked, "compare")


def _answered(asked: argparse.Namespace, verb: str) -> int:
    voice = Voice(asked.lang, as_json=asked.json)
    try:
        if asked.what == "database" and asked.bandwidth:
            raise Stop("alone.bandwidth_of_files", where="--bandwidth")
        if verb == "move" and asked.engine not in (None, ENGINES[asked.what]):
            raise Stop("alone.other_engine", where=f"--engine {asked.engine}", engine=ENGINES[asked.what])
        report = Report(writable(asked.report), asked.lang, keys=asked.keys)
        return PROVEN if _work(asked.what, verb)(asked, voice, report) else DIFFERENT
    except Stop as refusal:
        voice.trouble("refused", refusal)
        return REFUSED
    except OnboardingError as failure:
        voice.trouble("failed", failure)
        return FAILED
    except KeyboardInterrupt:
        voice.say("interrupted")
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # threads that copy would be waited for; the servers undo what was not committed


def _work(what: str, verb: str) -> Work:
    """From the module for databases or the one for files: neither waits for what only the other needs to be read."""
    room = "by_hand_files" if what == "files" else "by_hand_databases"
    work: Work = getattr(import_module(f"{__package__}.{room}"), verb)
    return work
