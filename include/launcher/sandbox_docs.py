"""Which AWS operations the sandbox has, read from the sandbox itself, for docs/sandbox.md."""

from __future__ import annotations

import functools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from launcher.airflow_config import REGION
from sandbox import process, recorder, sts, trails
from sandbox.audit import Audit
from sandbox.delivery import Courier
from sandbox.identity import Identities
from sandbox.pretences import PRETENCES
from sandbox.s3 import access
from sandbox.state import SandboxState

HEAD = "| service | done by the sandbox | by moto, after checks of the sandbox |\n|---|---|---|"
REFUSED = "| service | answered 501, because with moto nothing would really happen |\n|---|---|"


def operations() -> str:
    """Two tables: what is done here or checked here, and what is refused although moto would say yes."""
    with tempfile.TemporaryDirectory() as folder:
        state = _installed(Path(folder))
        done, checked = _done(state), _checked(state)
        state.stop()
    rows = (
        f"| {service} | {_listed(done[service])} | {_listed(checked[service])} |"
        for service in sorted({*done, *checked})
    )
    refused = (f"| {service} | {_listed(PRETENCES[service])} |" for service in sorted(PRETENCES))
    return "\n".join([HEAD, *rows, "", REFUSED, *refused])


def _installed(folder: Path) -> SandboxState:
    """Every part of the sandbox put together as in `sandbox.process`, without a server."""
    state, identities = SandboxState(folder, REGION, "127.0.0", 1, "1" * 12), Identities()
    courier = Courier(identities)
    for part in (*process.CONTROL_PLANE, *process.DATA_PLANE):
        part.install(state)
    sts.install(state, identities)
    trails.install(state, Audit(folder / "audit.jsonl"), courier)
    recorder.install(state, courier)
    return state


def _done(state: SandboxState) -> dict[str, set[str]]:
    named = {key for key, handler in state.handlers.items() if _name(handler) != "_absent"}
    return _by_service([*named, *state.raw_handlers])


def _checked(state: SandboxState) -> dict[str, set[str]]:
    """Operations that moto answers when a check of ours, other than who may touch a bucket, lets them pass."""
    ours = {key for key, checks in state.checks.items() if any(check is not access.check for check in checks)}
    return _by_service(ours - state.handlers.keys() - state.raw_handlers.keys())


def _name(handler: Callable[..., Any]) -> str:
    """The function behind a handler; whatever a service lacks is handled by a function `_absent`."""
    inner = handler.func if isinstance(handler, functools.partial) else handler
    return str(getattr(inner, "__name__", ""))


def _by_service(keys: Iterable[tuple[str, str]]) -> defaultdict[str, set[str]]:
    grouped: defaultdict[str, set[str]] = defaultdict(set)
    for service, operation in keys:
        grouped[service].add(operation)
    return grouped


def _listed(names: Iterable[str]) -> str:
    return ", ".join("everything" if name == "*" else name for name in sorted(names)) or "-"
