"""A service's whole way, in a process of its own that may be killed at any instant: `python night.py < task.json`.

`task`: `pair` (see following_servers.Pair), `state` (a file: what a ledger would know), `address` (the file that the
service's name is), `within_s` (the freeze's deadline). Called again it goes on where the world is; a killed step is
done again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

import following_journey as journey
from following_servers import Pair

from onboarding.databases import deadline
from onboarding.databases.follow import closing

LOOK_AROUND_S = 0.3
AT_LAST, EARLY = "at last", timedelta(minutes=4)


class Night:
    """The steps in their order, and which are done."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.pair, self.file = Pair.from_json(task["pair"]), Path(task["state"])
        self.address, self.within = Path(task["address"]), timedelta(seconds=task["within_s"])
        self.known: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self._keep(fence=self.known.get("fence", 0) + 1)

    @property
    def fence(self) -> int:
        return int(self.known["fence"])

    def run(self) -> None:
        for name, step in STEPS.items():
            if name not in self.known:
                if name in UNDER_THE_FREEZE:
                    deadline.hold(self.pair.source, self.pair.service.user)
                self._keep(**{name: step(self) or {}})

    def freeze_early(self) -> dict[str, Any]:
        return {"at": journey.freeze_source(self.pair, EARLY, "early").isoformat()}

    def freeze(self) -> dict[str, Any]:
        return {"at": journey.freeze_source(self.pair, self.within, AT_LAST).isoformat()}

    def switch(self) -> None:
        deadline.make_permanent(self.pair.source, self.pair.service.user, attempt=AT_LAST)

    def arm_early(self) -> None:
        journey.drain_and_arm(self.pair, self._at("frozen early"), self.fence)

    def freeze_there(self) -> dict[str, Any]:
        return {"at": journey.freeze_target(self.pair).isoformat()}

    def arm(self) -> None:
        journey.drain_and_arm(self.pair, self._at("frozen"), self.fence)

    def drain_home(self) -> None:
        journey.return_home(self.pair, self._at("frozen there"), self.fence)

    def catch_up(self) -> dict[str, Any]:
        samples = journey.catch_up(self.pair)
        return {"seconds": [sample.seconds for sample in samples], "bytes": [sample.bytes for sample in samples]}

    def release(self, open_: Callable[[Pair], None], host: str) -> None:
        open_(self.pair)
        beside = self.address.with_suffix(".new")
        beside.write_text(host)
        beside.replace(self.address)

    def close(self) -> None:
        for feed in (self.pair.forward, self.pair.back):
            closing.close(feed, fence=self.fence)

    def _at(self, step: str) -> datetime:
        return datetime.fromisoformat(self.known[step]["at"])

    def _keep(self, **more: Any) -> None:
        self.known |= more
        beside = self.file.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(self.known, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.file)


STEPS: dict[str, Callable[[Night], dict[str, Any] | None]] = {
    "copied": lambda night: journey.copy(night.pair, night.fence),
    "following": lambda night: journey.follow(night.pair, night.fence),
    "caught up early": Night.catch_up,
    "frozen early": Night.freeze_early,  # a night that is called off, before the one that is not
    "armed early": Night.arm_early,
    "called off": lambda night: journey.call_off(night.pair, night.fence),
    "caught up": Night.catch_up,
    "frozen": Night.freeze,
    "armed": Night.arm,
    "switched": Night.switch,  # the commit point: before it the night may be called off, after it not
    "released there": lambda night: night.release(journey.open_target, night.pair.target.host),
    "soaked": lambda night: time.sleep(LOOK_AROUND_S),
    "frozen there": Night.freeze_there,
    "drained home": Night.drain_home,
    "home": lambda night: None,
    "released home": lambda night: night.release(journey.open_source, night.pair.source.host),
    "looked around": lambda night: time.sleep(LOOK_AROUND_S),
    "closed": Night.close,
}
"""What is done, in its order, by the name that it has once it is done."""
UNDER_THE_FREEZE = ("armed early", "armed", "switched")


if __name__ == "__main__":
    Night(json.load(sys.stdin)).run()
