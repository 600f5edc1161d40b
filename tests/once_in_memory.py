"""`Ledger.once` without a database: intents first, look before acting, one result per key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any


class OnceInMemory:
    """Keeps what the ledger would keep; survives the "death" of a caller as the ledger does."""

    def __init__(self) -> None:
        self.intents: dict[str, tuple[str, str]] = {}
        self.results: dict[str, dict[str, Any]] = {}

    def __call__(
        self,
        key: str,
        action: str,
        request: Mapping[str, Any],
        *,
        find: Callable[[], Mapping[str, Any] | None],
        perform: Callable[[], Mapping[str, Any]],
    ) -> Mapping[str, Any]:
        asked = (action, json.dumps(request, sort_keys=True))
        if self.intents.setdefault(key, asked) != asked:
            raise ValueError(f"another request under {key}: {asked} after {self.intents[key]}")
        if key not in self.results:
            found = find()
            self.results[key] = json.loads(json.dumps(dict(perform() if found is None else found)))
        return self.results[key]
