"""A process that asks for one side effect and kills itself at a named point. Run by test_once.py."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from onboarding.addresses import Database
from onboarding.ledger import Ledger


def main() -> None:
    asked = json.load(sys.stdin)
    world, die_at, clock_calls = Path(asked["world"]), asked["die_at"], iter(("intent", "result", "more"))

    def reach(point: str) -> None:
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def clock() -> datetime:
        reach(f"before the {next(clock_calls)}")
        return datetime.now(UTC)

    def find() -> dict[str, str] | None:
        reach("find begins")
        found = sorted(world.glob("effect-*"))
        reach("find ends")
        return {"id": found[0].name} if found else None

    def perform() -> dict[str, str]:
        reach("perform begins")
        time.sleep(asked.get("seconds", 0))
        effect = world / f"effect-{uuid.uuid4()}"
        effect.touch()
        reach("the effect happened")
        return {"id": effect.name}

    database = Database(**asked["database"], resolve=lambda host: host)
    result = Ledger(database, clock).once("p02", "s:Create:-:x", "Create", {"n": 1}, find=find, perform=perform)
    reach("the result is written")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
