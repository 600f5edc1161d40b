"""Registers our pages and our card in the UI, renews what cleared questions ask, keeps metrics fresh; nothing else."""

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
    """The programme view in the navigation, its card on the home page, and all pages below `/namrong`.

    Addresses are relative to Airflow's own (its <base>), so that they hold below a path of a proxy too.
    """

    name = "namrong"
    fastapi_apps = [{"app": Pages(), "url_prefix": "/namrong", "name": "Namrong"}]  # noqa: RUF012  (Airflow reads it)
    external_views = [  # noqa: RUF012
        {
            "name": "นำร่อง",
            "href": "namrong/programme",
            "url_route": "programme",
            "destination": "nav",
            "nav_top_level": True,
            "icon": "namrong/static/programme.svg",
            "icon_dark_mode": "namrong/static/programme-dark.svg",
        }
    ]
    react_apps = [  # noqa: RUF012
        {
            "name": "NamrongCard",
            "bundle_url": "namrong/static/card.js",
            "url_route": "namrong-card",
            "destination": "dashboard",
        }
    ]

    listeners = [Started()]  # noqa: RUF012  (Airflow reads it)

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:
        """Where Airflow's own tables are at hand (API server, scheduler; no task): see `renewed_questions`."""
        if "airflow.models.taskinstance" in sys.modules:
            from onboarding_airflow.renewed_questions import listen

            listen()
