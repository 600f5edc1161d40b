"""Scripted faults: what AWS and the network do on a bad day, asked for by a test or an operator."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("error", "lost_reply", "delay")
ANY = "*"


@dataclass
class Fault:
    """The next `times` calls of `service`:`action` (each may be "*") go wrong.

    error: answered with `code` and HTTP `status`, nothing happens. lost_reply: it happens, then the
    connection is reset. delay: it is answered after `seconds`.
    """

    service: str
    action: str
    kind: str = "error"
    times: int = 1
    code: str = "ThrottlingException"
    status: int = 400
    seconds: float = 1.0
    message: str = "a scripted fault"

    def concerns(self, service: str, action: str) -> bool:
        """Whether this fault is meant for a call and not used up."""
        return self.times > 0 and self.service in (ANY, service) and self.action in (ANY, action)


class Faults:
    """Those that are still to come, first scripted first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def script(self, body: Mapping[str, Any]) -> Fault:
        """Takes one in; ValueError says what is wrong with it."""
        try:
            fault = Fault(**body)
        except TypeError as problem:
            raise ValueError(str(problem)) from problem
        if fault.kind not in KINDS:
            raise ValueError(f"kind {fault.kind!r} is none of {', '.join(KINDS)}")
        if isinstance(fault.times, bool) or not isinstance(fault.times, int) or fault.times < 1:
            raise ValueError("times must be a whole number of at least 1")
        if not 400 <= fault.status <= 599 or not 0 <= fault.seconds <= 3600:
            raise ValueError("status must be 400 to 599, seconds 0 to 3600")
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, service: str, action: str) -> Fault | None:
        """The fault for this call, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if fault.concerns(service, action):
                    fault.times -= 1
                    return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        """Those that have not all happened yet."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting if fault.times > 0]

    def clear(self) -> None:
        """Forgets them all."""
        with self._lock:
            self._waiting.clear()
