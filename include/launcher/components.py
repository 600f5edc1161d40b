"""The processes of one run as a table: what each is called with, what must be there first, when it is ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from launcher import airflow_config
from launcher.checkout import Checkout
from launcher.health import is_healthy
from launcher.settings import Settings
from sandbox.postgres import bin_dir


@dataclass(frozen=True)
class Component:
    """One process. `needs` names components (or `airflow_tables`) that must be ready before it is started."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Callable[[], Mapping[str, str]]
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    ends: bool = False
    """Whether it is done when it exits with 0; the others must stay."""
    again: bool = False
    """Whether it is started again when it dies: it keeps nothing of its own, and nobody minds to wait for it."""
    on_ready: Callable[[], None] = lambda: None
    rank: int = 0
    """Stopped in falling order; the same rank at the same time."""


def components(checkout: Checkout, chosen: Settings) -> tuple[Component, ...]:
    """The table, in the order of starting."""
    run, python = checkout.run, sys.executable
    base = airflow_config.base_environment(checkout)

    def airflow_environment() -> Mapping[str, str]:
        return airflow_config.airflow_environment(checkout, read(run / "sandbox.json"), bin_dir())

    def airflow(name: str, *arguments: str, again: bool = True) -> Component:
        return Component(
            name=name.replace("-", "_"),
            command=lambda: (python, "-m", "airflow", name, *arguments),
            environment=airflow_environment,
            ready=lambda: is_healthy(chosen.url, name.replace("-", "_")),
            needs=("airflow_tables", "sandbox"),
            again=again,
            rank=3,
        )

    return (
        Component(
            "home_database", lambda: (python, "-m", "launcher.home_database"), lambda: base,
            (run / "home_database.json").exists, rank=0,
        ),
        Component(
            "sandbox",
            lambda: (python, "-m", "sandbox", "--state", str(run / "sandbox"), "--ready", str(run / "sandbox.json")),
            lambda: base, (run / "sandbox.json").exists, rank=1,
        ),
        Component(
            "airflow_setup", lambda: (python, "-m", "launcher.airflow_setup"), airflow_environment,
            lambda: False, needs=("home_database",), ends=True, rank=3,
        ),
        Component(
            "agencies", lambda: _agencies(checkout, chosen), lambda: base, (run / "agencies.json").exists,
            needs=("sandbox",), on_ready=lambda: tell_sandbox(checkout.run), rank=2,
        ),
        airflow("api-server", "--host", "127.0.0.1", "--port", str(chosen.api_port), again=False),
        airflow("scheduler", "--skip-serve-logs"),
        airflow("dag-processor"),
        airflow("triggerer", "--skip-serve-logs"),
    )  # fmt: skip


def conditions(checkout: Checkout) -> Mapping[str, Callable[[], bool]]:
    """What a component may need besides other components."""
    return {"airflow_tables": (checkout.airflow_home / "migrated").exists}


def read(path: Path) -> dict[str, Any]:
    """A ready file's content; empty while there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


def tell_sandbox(run: Path) -> None:
    """The sandbox knows where the agencies' databases are, and has room for their accounts.

    A new organization's quota is 10 accounts, its own included: too few for ten pilots. A programme has AWS raise it
    beforehand (Service Quotas: a person there decides); here it is as if that had happened. `run` holds both ready
    files.
    """
    cloud, agencies = read(run / "sandbox.json"), read(run / "agencies.json")
    count = len(agencies["pilots"])
    ask_sandbox(cloud, "names", agencies["names"])
    ask_sandbox(cloud, "settings", {"account_quota": max(10, 1 + 2 * count)})  # a prod and a nonprod one each


def ask_sandbox(cloud: Mapping[str, Any], what: str, body: Mapping[str, Any]) -> None:
    """Has the sandbox itself do something (docs/sandbox.md); `cloud` is its ready file."""
    headers = {"Content-Type": "application/json", "X-Sandbox-Token": cloud["token"]}
    request = Request(f"{cloud['endpoint']}/_sandbox/{what}", json.dumps(body).encode(), headers, method="POST")
    with urlopen(request, timeout=10):
        pass


def _agencies(checkout: Checkout, chosen: Settings) -> Sequence[str]:
    cloud = read(checkout.run / "sandbox.json")
    return (
        sys.executable, "-m", "sandbox.agencies", "--state", str(checkout.run / "agencies"),
        "--ready", str(checkout.run / "agencies.json"), "--service-port", str(cloud["service_port"]),
        "--subnet", cloud["subnet"], "--scale", str(chosen.scale), "--seed", str(chosen.seed),
        "--pilots", ",".join(chosen.pilots), "--nameserver", cloud["nameserver"],
    )  # fmt: skip
