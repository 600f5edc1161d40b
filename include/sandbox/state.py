"""What every part of one sandbox process shares: its folder, addresses, time and ways of answering AWS calls."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

log = logging.getLogger("sandbox")

FIRST_HOST, LAST_HOST = 10, 199  # 127.A.B.200 and above are the agencies' side


class AwsError(Exception):
    """An error that a caller sees in AWS's own shape: `code`, `message`, HTTP `status`."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Call:
    """One AWS call, parsed by botocore's model of it. `caller` is the ARN of who signed it."""

    service: str
    operation: str
    account: str
    region: str
    params: Mapping[str, Any]
    caller: str
    environ: Mapping[str, Any] = field(repr=False)

    @property
    def by_service(self) -> bool:
        """Whether AWS itself calls, to deliver what somebody has asked for: `caller` is then a service's name."""
        return not self.caller.startswith("arn:")


Handler = Callable[[Call], Mapping[str, Any] | None]
"""Answers a call with the members of its output shape; raises AwsError."""

Check = Callable[[Call], None]
"""Looks at a call before it is answered; raises AwsError to refuse it."""

RawHandler = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application for one operation, for bodies that should not be held in memory."""


@dataclass
class Settings:
    """What a test or an operator may change while the sandbox runs (`POST /_sandbox/settings`)."""

    seconds_to_create_account: float = 2.0
    seconds_to_close_account: float = 2.0
    seconds_to_enable_region: float = 2.0
    seconds_to_assign: float = 1.0
    seconds_to_deliver_trail: float = 1.0
    seconds_to_insync: float = 1.0
    seconds_to_create_instance: float = 1.0
    account_quota: int = 10

    def change(self, values: Mapping[str, Any]) -> None:
        """Takes over known names only; ValueError names what is wrong and changes nothing."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        renamed = {("seconds_to_create_account" if k == "seconds_to_create" else k): v for k, v in values.items()}
        for name, value in renamed.items():
            if name not in kinds:
                raise ValueError(f"no setting {name!r}; there are {', '.join(sorted(kinds))}")
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ValueError(f"setting {name} must be a number of at least 0")
        for name, value in renamed.items():
            setattr(self, name, kinds[name](value))


@dataclass
class SandboxState:
    """Handed to `install(state)` of every overlay module."""

    folder: Path
    region: str
    subnet: str
    service_port: int
    management_account: str
    settings: Settings = field(default_factory=Settings)
    names: dict[str, str] = field(default_factory=dict)
    zones: dict[str, Any] = field(default_factory=dict)
    handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)
    raw_handlers: dict[tuple[str, str], RawHandler] = field(default_factory=dict)
    checks: dict[tuple[str, str], list[Check]] = field(default_factory=dict)
    guards: list[Check] = field(default_factory=list)
    names_port: int = 0
    nameserver: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    _taken: set[str] = field(default_factory=set)
    _timers: set[threading.Timer] = field(default_factory=set)
    _on_stop: list[Callable[[], None]] = field(default_factory=list)
    _stopped: bool = False

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)

    def handle(self, service: str, operation: str, handler: Handler) -> None:
        """`handler` answers `operation` from now on instead of moto; names as in boto3 ("rds", "CreateDBInstance")."""
        self.handlers[service, operation] = handler

    def handle_raw(self, service: str, operation: str, handler: RawHandler) -> None:
        """`handler` gets the WSGI request unread; faults, authentication and audit still apply."""
        self.raw_handlers[service, operation] = handler

    def check(self, service: str, operation: str, check: Check) -> None:
        """`check` may refuse `operation` before its handler, or moto, answers it."""
        self.checks.setdefault((service, operation), []).append(check)

    def guard(self, check: Check) -> None:
        """`check` may refuse any call at all."""
        self.guards.append(check)

    def next_address(self) -> str:
        """A loopback address of this sandbox on which `service_port` is free; it stays taken until released."""
        with self.lock:
            for host in range(FIRST_HOST, LAST_HOST + 1):
                address = f"{self.subnet}.{host}"
                if address not in self._taken and _is_free(address, self.service_port):
                    self._taken.add(address)
                    return address
        raise AwsError("InsufficientDBInstanceCapacity", f"every address of {self.subnet}.0/24 is taken", 400)

    def release_address(self, address: str) -> None:
        """Gives an address back."""
        with self.lock:
            self._taken.discard(address)

    def schedule(self, seconds: float, callback: Callable[[], None]) -> None:
        """Calls `callback` on a thread of its own after `seconds`, unless the sandbox stops first."""

        def run() -> None:
            try:
                if not self._stopped:
                    callback()
            except Exception:
                log.exception("a scheduled change failed")
            finally:
                with self.lock:
                    self._timers.discard(timer)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self.lock:
            if not self._stopped:
                self._timers.add(timer)
                timer.start()

    def on_stop(self, callback: Callable[[], None]) -> None:
        """`callback` runs once when the sandbox stops, last registered first."""
        self._on_stop.append(callback)

    def stop(self) -> None:
        """Cancels what is scheduled and runs the stop callbacks, each of them whatever the others do."""
        with self.lock:
            if self._stopped:
                return
            self._stopped = True
            timers = list(self._timers)
        for timer in timers:
            timer.cancel()
        for callback in reversed(self._on_stop):
            try:
                callback()
            except Exception:
                log.exception("a stop callback failed")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
