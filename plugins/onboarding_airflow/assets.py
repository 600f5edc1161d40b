"""The assets that DAGs tell each other of. Their partition is the pilot: a programme counts pilots, not runs."""

from __future__ import annotations

from airflow.sdk import Asset

PILOT_LIVE = Asset(name="pilot/live", uri="namrong://pilot/live", group="pilot")
