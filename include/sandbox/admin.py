"""`/_sandbox/...`: what a test or an operator may ask the sandbox itself, with its token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sandbox.audit import Audit
from sandbox.dispatch import Reply, read_body
from sandbox.dns import is_address
from sandbox.faults import Faults
from sandbox.records import host_name
from sandbox.state import AwsError, SandboxState

MAX_BODY = 1_000_000


class Admin:
    """GET health, audit; GET, POST settings and names; GET, POST, DELETE faults."""

    def __init__(self, state: SandboxState, audit: Audit, faults: Faults, token: str) -> None:
        self._state, self._audit, self._faults, self._token = state, audit, faults, token

    def answer(self, environ: dict[str, Any]) -> Reply:
        """JSON: 200 with what was asked for, 400 with what is wrong, 403 without the token, 404, 405."""
        if not hmac.compare_digest(environ.get("HTTP_X_SANDBOX_TOKEN", ""), self._token):
            return _json(403, {"error": "the X-Sandbox-Token header is missing or wrong"})
        name = environ["PATH_INFO"].removeprefix("/_sandbox/")
        method = environ["REQUEST_METHOD"].lower()
        if name not in ("health", "audit", "settings", "names", "faults"):
            return _json(404, {"error": f"no {name}"})
        action = getattr(self, f"_{method}_{name}", None)
        if action is None:
            return _json(405, {"error": f"{name} cannot be asked with {method.upper()}"})
        try:
            return _json(200, action(_body(environ)))
        except (ValueError, AwsError) as problem:
            return _json(400, {"error": str(problem)})

    def _get_health(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"status": "ok", "nameserver": self._state.nameserver, "at": self._state.now().isoformat()}

    def _get_audit(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"entries": self._audit.entries()}

    def _get_settings(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self._state.settings)

    def _post_settings(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._state.settings.change(body)
        return asdict(self._state.settings)

    def _get_names(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._state.names)

    def _post_names(self, body: Mapping[str, Any]) -> dict[str, Any]:
        checked = {host_name(name): _place(leads_to) for name, leads_to in body.items()}
        self._state.names.update(checked)
        return dict(self._state.names)

    def _get_faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"faults": self._faults.waiting()}

    def _post_faults(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self._faults.script(body))

    def _delete_faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        return {"faults": []}


def _place(leads_to: str) -> str:
    """An IPv4 address as it is, or another name. Raises AwsError for what is neither."""
    return leads_to if is_address(leads_to) else host_name(leads_to)


def _body(environ: dict[str, Any]) -> Mapping[str, Any]:
    raw = read_body(environ, MAX_BODY)
    parsed = json.loads(raw) if raw else {}
    if not isinstance(parsed, dict):
        raise ValueError("the body must be a JSON object")
    return parsed


def _json(status: int, body: Mapping[str, Any]) -> Reply:
    text = json.dumps(body, ensure_ascii=False).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    return Reply(f"{status} {'OK' if status < 400 else 'Error'}", headers, [text])
