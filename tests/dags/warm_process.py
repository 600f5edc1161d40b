"""What warming a scheduler does to it, and what a task forked from it still has to read, as JSON on stdout."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAG = "onboard_p02"


def main() -> None:
    import airflow.executors.local_executor  # noqa: F401  (a scheduler has it)

    from launcher.warm import forget_if_changed, warm

    code = warm()
    threads, sockets = len(list(Path("/proc/self/task").iterdir())), _sockets()
    known = set(sys.modules)
    os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = DAG  # as in a task's process
    from airflow.dag_processing.dagbag import DagBag

    dags = sorted(DagBag(ROOT / "dags" / "onboard_pilot.py").dags)
    read = sorted(set(sys.modules) - known)
    manifest = sys.modules["onboarding.manifest"]
    kept = forget_if_changed(code)
    dropped = forget_if_changed({file: then - 1 for file, then in code.items()})
    left = sorted(name for name in sys.modules if name.split(".")[0] in ("onboarding", "onboarding_airflow"))
    import onboarding.manifest

    anew = onboarding.manifest is not manifest
    told = {"threads": threads, "sockets": sockets, "dags": dags, "read": read}
    print(json.dumps({**told, "kept": kept, "dropped": dropped, "left": left, "anew": anew}))


def _sockets() -> int:
    found = 0
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            found += str(number.readlink()).startswith("socket:")
    return found


if __name__ == "__main__":
    main()
