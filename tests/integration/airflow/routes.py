"""Every address that Airflow's API server answers, ours among them, as one line of JSON: [[method, path], ...]."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from airflow.api_fastapi.core_api.routes.public import public_router
from airflow.api_fastapi.core_api.routes.ui import ui_router
from airflow.api_fastapi.execution_api.routes import execution_api_router

from onboarding_airflow import pages


def addresses(routes: Iterable[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for route in routes:
        for method in sorted(route.methods):
            yield method, prefix + route.path


print(
    json.dumps(
        [
            *addresses(public_router.routes, ""),
            *addresses(ui_router.routes, ""),
            *addresses(execution_api_router.routes, "/execution"),
            *addresses(pages.app().routes, "/namrong"),
        ]
    )
)
