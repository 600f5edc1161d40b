"""The witness in a process of its own: `python writing.py < task.json`.

`task`: `login` (a Database's fields), `address` (a file with the host that the service's name leads to now), `log`,
`stop` (a file that ends it), `seed`.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "include")]

from sandbox.witness.client import Witness


def main() -> None:
    task = json.load(sys.stdin)
    login = {"dbname": task["login"]["name"], **{key: task["login"][key] for key in ("port", "user", "password")}}
    address, stop = Path(task["address"]), Path(task["stop"])
    witness = Witness(login, lambda: address.read_text().strip(), Path(task["log"]), random.Random(task["seed"]))
    witness.go_on(stop.exists)


if __name__ == "__main__":
    main()
