"""Airflow's REST API as one person sees it, in the few calls that a demonstration needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

TIMEOUT_S = 30.0
PAGE = 100
LOOKS = 4
"""How often we ask before silence counts: a busy machine of two cores lets a question time out now and then."""
ASKING = "/list", "/auth/token"
"""POSTs that only ask."""


class RestError(Exception):
    """Airflow refused; `status` is HTTP's, the text is Airflow's own."""

    def __init__(self, status: int, method: str, path: str, detail: str) -> None:
        super().__init__(f"{method} {path}: {status} {detail}")
        self.status = status


@dataclass
class Airflow:
    """One login. A token is fetched at the first call (`POST /auth/token`, valid for a day)."""

    url: str
    login: str
    password: str = field(repr=False)
    _token: str = field(default="", repr=False)

    def call(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """The answer's JSON; None for an empty one. Raises RestError."""
        if not self._token:
            self._token = self._send("POST", "/auth/token", {"username": self.login, "password": self.password}, {})[
                "access_token"
            ]
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return self._send(method, asked, body, {"Authorization": f"Bearer {self._token}"})

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, content, {"Content-Type": "application/json", **headers}, method=method)
        looks_left = LOOKS if method == "GET" or path.endswith(ASKING) else 1
        while True:
            looks_left -= 1
            try:
                with urlopen(request, timeout=TIMEOUT_S) as answer:
                    text = answer.read()
                return json.loads(text) if text else None
            except HTTPError as refusal:
                detail = refusal.read().decode(errors="replace")[:500]
                raise RestError(refusal.code, method, path, detail) from refusal
            except TimeoutError:
                if not looks_left:
                    raise

    def has_dag(self, dag: str) -> bool:
        """Whether the DAG has been parsed and this login may read it."""
        try:
            self.call("GET", f"/api/v2/dags/{quote(dag)}")
        except RestError as refusal:
            if refusal.status in (403, 404):
                return False
            raise
        return True

    def import_errors(self) -> dict[str, str]:
        """File -> traceback of DAG files that could not be read."""
        found = self.call("GET", "/api/v2/importErrors", limit=50)
        return {error["filename"]: error["stack_trace"] for error in found["import_errors"]}

    def unpause(self, dag: str) -> None:
        self.call("PATCH", f"/api/v2/dags/{quote(dag)}", {"is_paused": False})

    def trigger(self, dag: str, **params: Any) -> str:
        """Starts a run by this login, with the params that its form would ask for; returns its id."""
        run = self.call("POST", f"/api/v2/dags/{quote(dag)}/dagRuns", {"logical_date": None, "conf": params})
        return str(run["dag_run_id"])

    def run_state(self, dag: str, run: str) -> str:
        """queued, running, success or failed."""
        return str(self.call("GET", f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(run)}")["state"])

    def run_states(self, dags: Iterable[str]) -> dict[tuple[str, str], str]:
        """(DAG, run) -> queued, running, success or failed, of the newest runs of these DAGs; one request for all."""
        asked = {"dag_ids": sorted(dags), "order_by": "-run_after", "page_limit": PAGE}
        found = self.call("POST", "/api/v2/dags/~/dagRuns/list", asked)["dag_runs"]
        return {(run["dag_id"], run["dag_run_id"]): run["state"] for run in found}

    def instances_in(self, states: Iterable[str], dags: Iterable[str]) -> list[dict[str, Any]]:
        """Task instances of these DAGs that are in one of these states; one request for all."""
        asked = {"dag_ids": sorted(dags), "state": sorted(states), "page_limit": PAGE}
        found = self.call("POST", "/api/v2/dags/~/dagRuns/~/taskInstances/list", asked)
        return list(found["task_instances"])

    def task_instances(self, dag: str, run: str) -> list[dict[str, Any]]:
        """All task instances of a run, mapped ones too."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.call(
                "GET", f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(run)}/taskInstances", limit=PAGE, offset=len(found)
            )
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def clear(self, dag: str, run: str, tasks: Sequence[str]) -> None:
        """Clears these tasks and all after them, as the button in the UI does: they run again."""
        self.call(
            "POST",
            f"/api/v2/dags/{quote(dag)}/clearTaskInstances",
            {
                "dry_run": False,
                "dag_run_id": run,
                "task_ids": list(tasks),
                "include_downstream": True,
                "only_failed": False,
                "reset_dag_runs": True,
            },
        )

    def questions(self) -> list[dict[str, Any]]:
        """What Airflow waits for people to answer, of the DAGs that this login may read."""
        page = self.call("GET", "/api/v2/dags/~/dagRuns/~/hitlDetails", response_received="false", limit=100)
        found: list[dict[str, Any]] = page["hitl_details"]
        return found

    def answer(self, question: dict[str, Any], option: str, params: dict[str, object]) -> None:
        """Answers one question. Raises RestError 403 when this login is not among those asked, 409 when too late."""
        task = question["task_instance"]
        self.call(
            "PATCH",
            f"/api/v2/dags/{quote(task['dag_id'])}/dagRuns/{quote(task['dag_run_id'])}"
            f"/taskInstances/{quote(task['task_id'])}/{task['map_index']}/hitlDetails",
            {"chosen_options": [option], "params_input": params},
        )
