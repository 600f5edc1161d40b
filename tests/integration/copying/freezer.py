"""A freeze in a process of its own, to be killed: `python freezer.py`, its task as JSON on stdin."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta

from onboarding.addresses import Database
from onboarding.databases.freeze import freeze


def main() -> None:
    task = json.load(sys.stdin)
    source = Database(**task["source"], resolve=lambda host: host)
    done = freeze(source, task["role"], within=timedelta(seconds=task["within_s"]), attempt=task["attempt"])
    print(json.dumps({"deadline": str(done.deadline)}), flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
