"""Registers Namrong's pages in the Airflow UI, renews what cleared questions ask, keeps metrics fresh; nothing else."""

from __future__ import annotations

import sys
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin


class Pages:
    """The pages below `/namrong` as an ASGI application, put together at the first request.

    Airflow loads plugins in every task's process too; a web framework would cost each of them most of a second.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from onboarding_airflow.pages import app

        await app()(scope, receive, send)


class Started:
    """Hears of each process of Airflow's that starts; in the triggerer it begins to emit the programme's metrics.

    The triggerer forks once, soon after this and before the first emission. It runs nobody's code in that process.
    """

    @hookimpl
    def on_starting(self, component: Any) -> None:
        if type(component).__name__ == "Job" and sys.argv[1:2] == ["triggerer"]:
            from onboarding_airflow.emitting import keep_emitting

            keep_emitting()


class ProgrammePlugin(AirflowPlugin):
    """The pages below `/namrong`: live reasons of gates, reports of a pilot's validation, metrics."""

    name = "namrong"
    fastapi_apps = [{"app": Pages(), "url_prefix": "/namrong", "name": "Namrong"}]  # noqa: RUF012  (Airflow reads it)

    listeners = [Started()]  # noqa: RUF012  (Airflow reads it)

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Where Airflow's own tables are at hand (API server, scheduler; no task): see `renewed_questions`."""
        if "airflow.models.taskinstance" in sys.modules:
            from onboarding_airflow.renewed_questions import listen

            listen()
