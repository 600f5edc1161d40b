"""`python -m sandbox.agencies`: the agencies' servers and folders, up until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from sandbox.agencies.process import Request, serve
from sandbox.agencies.profiles import PROFILES


def _pilots(text: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(text.split(",")))
    unknown = [pilot for pilot in chosen if pilot not in PROFILES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no agency for {', '.join(unknown)}; there are {', '.join(PROFILES)}")
    return chosen


def _scale(text: str) -> float:
    scale = float(text)
    if not 0.001 <= scale <= 1000:
        raise argparse.ArgumentTypeError("a number from 0.001 to 1000")
    return scale


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.agencies", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of its own; emptied at start")
    parser.add_argument("--ready", type=Path, required=True, help="JSON written (mode 0600) when all servers answer")
    parser.add_argument("--service-port", type=int, required=True, help="port of every server")
    parser.add_argument("--subnet", required=True, help="first three numbers of the loopback addresses, as 127.77.8")
    parser.add_argument("--scale", type=_scale, default=1.0, help="1 is about 200,000 rows a pilot (default)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same content (default 7)")
    parser.add_argument("--pilots", type=_pilots, default=tuple(PROFILES), help="comma-separated (default: all)")
    parser.add_argument("--nameserver", default="", help="host:port; with it, services in use are written to")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when standard input ends")
    return parser.parse_args(words)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


def main(words: Sequence[str]) -> int:
    """Exit status: 0 when told to stop, 1 when a server or its data could not be made."""
    given = _arguments(words)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.watch_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s agencies %(message)s")
    request = Request(
        given.state, given.ready, given.service_port, given.subnet, given.scale, given.seed, given.pilots,
        given.nameserver,
    )  # fmt: skip
    return serve(request, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
