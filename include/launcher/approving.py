"""The demonstration's two approvers: a program that answers with their logins, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from launcher.rest import Airflow, RestError

Question = Mapping[str, Any]
"""What Airflow waits for a person to answer, as its REST API tells it."""

APPROVE, REJECT = "Approve", "Reject"
COMMENT = "ตอบโดยโปรแกรมสาธิต · answered by the demonstration"
TOO_LATE = 409
SETTLED_S = 3.0
"""A question younger than this is left alone: its worker may not have let go of the task yet, and Airflow 3.3 fails a
task that goes on while its former slice is still being reported (measured under load)."""


@dataclass(frozen=True)
class Approver:
    """A login, its id in Airflow's auth manager, and its way in."""

    login: str
    id: str
    airflow: Airflow


def approvers(url: str, people: Mapping[str, int], passwords: Mapping[str, str]) -> tuple[Approver, ...]:
    """Those whose login is an approver's; `people` is login -> Airflow's user id."""
    return tuple(
        Approver(login, str(number), Airflow(url, login, passwords[f"login:{login}"]))
        for login, number in sorted(people.items())
        if login.startswith("approver")
    )


def approve(_: Question) -> str:
    """Yes to everything."""
    return APPROVE


def answer_all(
    acting: Sequence[Approver],
    dags: frozenset[str],
    say: Callable[[str, str, str], None],
    choose: Callable[[Question], str] = approve,
) -> int:
    """Each approver answers the questions about these DAGs that are put to it, and only those; returns how many.

    `say(login, question, option)` is called after each answer.
    """
    answered = 0
    for question in acting[0].airflow.questions() if acting else ():
        task = question["task_instance"]
        asked = {user["id"] for user in question["assigned_users"]}
        who = next((approver for approver in acting if approver.id in asked), None)
        age = datetime.now(UTC) - datetime.fromisoformat(question["created_at"])
        if task["dag_id"] not in dags or who is None or age.total_seconds() < SETTLED_S:
            continue
        option = choose(question)
        try:
            who.airflow.answer(question, option, {"automated": True, "comment": COMMENT})
        except RestError as refusal:
            if refusal.status == TOO_LATE:
                continue  # a person was quicker
            raise
        say(who.login, f"{task['dag_id']} {task['task_id']}", option)
        answered += 1
    return answered
