"""A Python process with Airflow set up for this checkout: no server, no database, nobody's home folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "include" / "pilots"
MISSPELT = "    egnine: copy\n"
PARSED_WITHIN_S = 90

# Before anything imports Airflow in this process: it must not look for, or make, a folder in somebody's home.
_HOME = tempfile.TemporaryDirectory(prefix="namrong-airflow-home-")
os.environ["AIRFLOW_HOME"] = _HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

Parsed = Mapping[str, Any]


def airflow_process(arguments: list[str], **more: str) -> subprocess.Popen[str]:
    """A Python with Airflow set up for this checkout, its answer on stdout."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(ROOT / "plugins"))),
        "AIRFLOW_HOME": _HOME.name,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer_of(process: subprocess.Popen[str]) -> list[Any]:
    """The JSON documents that it wrote, one a line."""
    out, errors = process.communicate(timeout=PARSED_WITHIN_S)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in out.splitlines() if line.startswith(("{", "["))]
