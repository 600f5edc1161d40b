"""Side effects on AWS that happen once: each is an intent under a natural key before it is a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Found = Mapping[str, Any]
Find = Callable[[], Found | None]
Perform = Callable[[], Found]


class Once(Protocol):
    """`Ledger.once` bound to a pilot: writes the intent, looks (`find`), and only then acts (`perform`)."""

    def __call__(
        self, key: str, action: str, request: Mapping[str, Any], *, find: Find, perform: Perform
    ) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Effects:
    """Where effects take place, and the memory that lets each happen once.

    `account` is the account in which a call is made; "-" is the management account.
    """

    once: Once
    account: str = "-"

    def make(
        self, service: str, action: str, name: str, request: Mapping[str, Any], *, find: Find, perform: Perform
    ) -> Mapping[str, Any]:
        """What AWS holds under `name`, made now if nobody made it before. Both callables return JSON content.

        `request` says what was asked for and must come out the same on every try: no times, no random values.
        """
        return self.once(
            f"{service}:{action}:{self.account}:{name}", f"{service}:{action}", request, find=find, perform=perform
        )

    def settle(
        self, service: str, action: str, name: str, request: Mapping[str, Any], *, find: Find, perform: Perform
    ) -> Mapping[str, Any]:
        """As `make`, for a state that somebody may undo (a place, an attachment): undone since, it is put back."""
        looked: list[Found | None] = []

        def look() -> Found | None:
            looked.append(find())
            return looked[-1]

        made = self.make(service, action, name, request, find=look, perform=perform)
        if looked:  # made or adopted just now; AWS may show it only later
            return made
        return find() or perform()
