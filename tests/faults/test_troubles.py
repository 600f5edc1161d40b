"""`demo --with-trouble`: a locked table, a failing probe, a no; each mended by whose move it is, and all go live."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkouts import environment, make_checkout

PILOTS = ("p02", "p03", "p06")
WITHIN_S = 900
TOLD = 6_000
"""Of a failed demonstration the end is shown: there it says what fell short."""


@pytest.mark.slow
def test_what_goes_wrong_is_seen_mended_and_ends_live(tmp_path: Path) -> None:
    checkout, report = make_checkout(tmp_path / "checkout"), tmp_path / "report.json"
    words = ["demo", "--exit", "--with-trouble", "--report", str(report), "--pilots", ",".join(PILOTS)]
    demo = subprocess.run(
        [sys.executable, "-m", "launcher", *words, "--scale", "0.02", "--lang", "en"],
        env=environment(checkout), cwd=checkout.root, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert demo.returncode == 0, (demo.stdout + demo.stderr)[-TOLD:]
    told = json.loads(report.read_text())
    assert [pilot["state"] for pilot in told["pilots"]] == ["live"] * 3
    assert (told["unaccounted_rows"], told["unaccounted_files"], told["duplicate_side_effects"]) == (0, 0, 0)
    assert told["ledger"]["verified"] is True
    # A reader of the terminal is told what was done on purpose, by whom it was mended, and that programs did it.
    for line in (
        "a session at the agency", "prepare_load is red", "cleared by a program as `operator`",
        "may not log in on the target", "leads 0 % to the target", "a no by a program", "one approver said no",
    ):  # fmt: skip
        assert line in demo.stdout, line
