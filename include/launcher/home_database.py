"""The home PostgreSQL: one server with Airflow's metadata and, in a database of its own, the ledger.

`python -m launcher.home_database` runs until SIGTERM and writes `home_database.json` when it answers.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from launcher import databases, settings
from launcher.checkout import Checkout, write_private
from sandbox.postgres import Cluster

HOST = "127.0.0.1"
# What is here is thrown away at the next start, so only a power cut could be guarded against; a killed process,
# a killed server even, loses nothing without fsync (the pages are in the kernel's cache).
FOR_ONE_RUN = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "150",
    "shared_buffers": "64MB",
}


def main() -> int:
    checkout = Checkout()
    passwords, chosen = checkout.secrets(), settings.load(checkout)
    cluster = Cluster(
        checkout.run / "postgres", HOST, chosen.home_port, "postgres", passwords["home_superuser"], FOR_ONE_RUN
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        cluster.create()
        cluster.start()
        _fill(cluster, passwords)
        write_private(checkout.run / "home_database.json", json.dumps({"host": HOST, "port": chosen.home_port}))
        while True:
            signal.pause()
    finally:
        cluster.stop()


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _fill(cluster: Cluster, passwords: Mapping[str, str]) -> None:
    with cluster.connect() as connection:
        databases.ensure_databases(
            connection,
            {"airflow": passwords["airflow_database"], databases.LEDGER_OWNER: passwords["ledger_owner"]},
        )
    databases.ensure_ledger(HOST, cluster.port, passwords["ledger_owner"], passwords["ledger_writer"])


if __name__ == "__main__":
    sys.exit(main())
