"""The sandbox's own record of every call that changes something, refused ones included."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

READS = re.compile(
    r"(Get|List|Describe|Head|Lookup|Select|Search|Query|Scan|BatchGet|AssumeRole|Decrypt|Encrypt|GenerateData|"
    r"Verify|Validate|Test|Simulate|Check|Estimate|Filter|Preview|Download|Receive)[A-Z0-9]?"
)
SECRET = re.compile(
    r"(password|secret(string|binary|accesskey)|sessiontoken|privatekey|plaintext|authtoken|customerkey(?!md5))", re.I
)
MASK = "***"
MAX_TEXT = 8_192
"""Characters of one value that are kept; a policy document is at most 6,144 to 10,240."""


def mutates(operation: str) -> bool:
    """Whether an operation is recorded. One that only reads, or only hands out a session, is not."""
    return READS.match(operation) is None


def masked(value: Any, name: str = "") -> Any:
    """`value` fit for a log: secrets replaced, bytes counted, everything else as JSON."""
    if name and SECRET.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, name) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… <{len(text)} characters>"


class Audit:
    """Appends to one JSON-lines file; every line is on its way to the disk before the caller hears of the effect."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        path.touch(mode=0o600)

    def record(
        self,
        *,
        account: str,
        region: str,
        service: str,
        action: str,
        params: Mapping[str, Any],
        status: int,
        error: str | None,
        fault: str | None = None,
    ) -> None:
        """One line: when, whose account, what was asked, how it ended. `fault` names a scripted one."""
        entry: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(),
            "account": account,
            "region": region,
            "service": service,
            "action": action,
            "params": masked(params),
            "status": status,
            "error": error,
            "fault": fault,
        }
        with self._lock:
            entry = {"seq": len(self._entries) + 1, **entry}
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._entries.append(entry)

    @property
    def last(self) -> int:
        """The `seq` of the newest entry, 0 if there is none."""
        return len(self._entries)

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """What is recorded with a `seq` above `after`, oldest first."""
        with self._lock:
            return self._entries[after:]
