"""`python -m sandbox --state DIR --ready FILE`: runs until SIGTERM, SIGINT, or until its parent is gone."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path

from sandbox.addresses import Places
from sandbox.process import Sandbox
from sandbox.ready import write_ready

LOOK_S = 0.5


def main(argv: list[str] | None = None) -> int:
    """Exit status 0 after a clean stop."""
    arguments = _arguments(argv)
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    warnings.filterwarnings("ignore", message=".*does not match an error shape")  # AWS's common errors are in no model
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch_parent(stop, arguments.watch_stdin)
    places = Places(arguments.port, arguments.names_port, arguments.subnet, arguments.service_port)
    sandbox = Sandbox(arguments.state, arguments.region, places)
    try:
        sandbox.start()
        write_ready(arguments.ready, sandbox.described())
        while not stop.wait(LOOK_S):  # a signal that another thread took would not wake a wait without end
            pass
    finally:
        arguments.ready.unlink(missing_ok=True)
        sandbox.stop()
    return 0


def watch_parent(stop: threading.Event, stdin: bool) -> None:
    """Sets `stop` when whoever started this process is gone: its end of our standard input, or the process itself."""
    parent = os.getppid()

    def read() -> None:
        while os.read(0, 1 << 12):  # unbuffered: a reader blocked in sys.stdin would hold its lock at exit
            pass
        stop.set()

    def look() -> None:
        while os.getppid() == parent and not stop.wait(LOOK_S):
            pass
        stop.set()

    threading.Thread(target=read if stdin else look, name="parent", daemon=True).start()


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of this sandbox; its contents are wiped")
    parser.add_argument("--ready", type=Path, required=True, help="JSON file, written when everything answers")
    parser.add_argument("--region", default="ap-southeast-7", help="the management account has this one switched on")
    parser.add_argument("--port", type=int, default=0, help="of the AWS end point (default: a free one)")
    parser.add_argument("--names-port", type=int, default=0, help="of the name server (default: a free one)")
    parser.add_argument("--subnet", default="", help="of the database servers, as 127.77.8 (default: a free one)")
    parser.add_argument("--service-port", type=int, default=0, help="of the database servers (default: a free one)")
    parser.add_argument("--watch-stdin", action="store_true", help="stop at the end of standard input")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
