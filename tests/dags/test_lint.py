"""Airflow's own rules for DAG files, as ruff knows them."""

from __future__ import annotations

import subprocess
import sys

from airflow_process import ROOT

RULES = "AIR,AIR304"


def ruff(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--preview", "--select", RULES, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_dags_and_plugins_pass() -> None:
    found = ruff("dags", "plugins")
    assert found.returncode == 0, found.stdout


def test_the_rules_are_on() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--preview", "--select", RULES, "-"],
        input="from airflow import DAG\nDAG('x')\n", cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 1 and "schedule" in found.stdout
