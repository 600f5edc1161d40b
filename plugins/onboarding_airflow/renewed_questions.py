"""A cleared or retried question is asked anew, with the text and the people of now.

Airflow 3.3 keeps what it showed and whom it asked at the first attempt (apache/airflow pull request 73235, open in
November 2026): approvers would read old evidence, and the first approver could answer for the second. Once the old
question lies in the history, it is taken away here; the next attempt then writes its own.
"""

from __future__ import annotations

from typing import Any

from airflow.models.hitl import HITLDetail
from airflow.models.hitl_history import HITLDetailHistory
from sqlalchemy import Connection, delete, event


def listen() -> None:
    """From here on, in this process; for those that clear and retry tasks: the API server and the scheduler."""
    if not event.contains(HITLDetailHistory, "after_insert", _take_away):
        event.listen(HITLDetailHistory, "after_insert", _take_away)


def _take_away(_mapper: Any, connection: Connection, kept: HITLDetailHistory) -> None:
    connection.execute(delete(HITLDetail).where(HITLDetail.ti_id == kept.ti_history_id))
