"""The command line: what can be asked, and the exit status of each answer."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

DESCRIPTION = """\
นำร่อง · Namrong takes a government service onto AWS and proves that nothing was lost on the way.
On this machine the cloud is a sandbox (fictional agencies, real PostgreSQL servers, real files)."""

EPILOGUE = """\
exit status: 0 everything asked for holds · 1 it does not · 2 wrong usage · 3 a process could not be
started or died · 130 interrupted

examples:
  ./namrong demo                      ten pilots from manifest to live; then stays up until Ctrl-C
  ./namrong demo --exit --report r.json
  ./namrong demo --no-approve         people approve, in the Airflow UI
  ./namrong up --detach               everything is up, nothing is triggered; `./namrong down` ends it
  ./namrong test tests/onboarding -k ledger
  ./namrong check include/pilots/p02.yaml
  ./namrong move database --source postgresql://… --target postgresql://…"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["test"]:
        # Everything after `test` is pytest's, its options too.
        return _command("launcher.testing:run")(given[1:])
    asked = parser().parse_args(given)
    return _command(asked.run)(asked)


def _command(name: str) -> Callable[[Any], int]:
    """`module:function`, imported when it is called for: help should not wait for boto3."""
    module, _, function = name.partition(":")
    found: Callable[[Any], int] = getattr(importlib.import_module(module), function)
    return found


def parser() -> argparse.ArgumentParser:
    """All commands and options, with their help."""
    top = argparse.ArgumentParser(
        prog="./namrong", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    several = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _demo(several)
    _up(several)
    several.add_parser("down", help="end what `up` or `demo` started in this checkout").set_defaults(
        run="launcher.commands:down"
    )
    _test(several)
    _check(several)
    _reading(several)
    _agency_dns(several)
    _by_hand(several)
    _secrets(several)
    several.add_parser("lock", help="resolve requirements*.in anew into the hashed locks").set_defaults(
        run="launcher.locking:lock"
    )
    docs = several.add_parser("docs", help="write anew what in docs/ is made from code")
    docs.add_argument("--check", action="store_true", help="write nothing; 1 when something would change")
    docs.set_defaults(run="launcher.reference:command")
    return top


if TYPE_CHECKING:
    Several = argparse._SubParsersAction[argparse.ArgumentParser]


def _demo(several: Several) -> None:
    demo = several.add_parser(
        "demo",
        help="run the pilots from manifest to live",
        description="Sets everything up and runs the pilots to live.",
    )
    demo.add_argument("--exit", action="store_true", help="stop everything at the end, also at a terminal")
    demo.add_argument("--no-approve", action="store_true", help="leave approvals to people in the UI")
    demo.add_argument(
        "--with-trouble",
        action="store_true",
        help="three things go wrong and are mended: a locked table, a failing probe at 50 %%, a no",
    )
    demo.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    _machine(demo)
    demo.set_defaults(run="launcher.commands:demo")


def _up(several: Several) -> None:
    up = several.add_parser("up", help="start everything, trigger nothing")
    up.add_argument("--detach", action="store_true", help="come back when everything is up and leave it running")
    _machine(up)
    up.set_defaults(run="launcher.commands:up")


def _machine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scale", type=_positive, default=1.0, metavar="X", help="size of the agencies' data (default 1)"
    )
    command.add_argument("--seed", type=int, default=7, metavar="N", help="seed of the agencies' data (default 7)")
    command.add_argument(
        "--pilots", type=_names, metavar="IDS", help="some of the pilots only, e.g. p02,p09 (default: all manifests)"
    )
    command.add_argument("--parallelism", type=int, default=6, metavar="N", help="tasks at the same time (default 6)")
    command.add_argument("--lang", choices=("th", "en"), default="en", help="language of what is printed (default en)")


def _test(several: Several) -> None:
    test = several.add_parser(
        "test", help="run the tests; arguments go to pytest", usage="./namrong test [pytest arguments]"
    )
    test.set_defaults(run="launcher.testing:run")


def _check(several: Several) -> None:
    check = several.add_parser("check", help="read manifests and say what is wrong with them")
    check.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    check.add_argument("--lang", choices=("th", "en"), help="one language (default: both)")
    check.set_defaults(run="launcher.commands:check")


def _by_hand(several: Several) -> None:
    status = "exit status: 0 proven · 1 a difference, named · 2 refused, and why · 3 failed, and what to do"
    move = several.add_parser(
        "move", help="move one database or folder, without Airflow, and prove it", epilog=status,
        description="Moves a whole PostgreSQL database (copy), or a folder to S3 (upload), and compares every row or"
        " file. Nothing of `./namrong up` is needed.",
    )  # fmt: skip
    compare = several.add_parser(
        "reconcile", help="compare two databases, or a folder and a bucket; writes nothing", epilog=status
    )
    move.add_argument("what", choices=("database", "files"))
    compare.add_argument("what", nargs="?", choices=("database", "files"), default="database")
    for command, run in ((move, "move"), (compare, "reconcile")):
        command.add_argument(
            "--source",
            required=True,
            metavar="DSN|DIR|URL",
            help="postgresql://…, or a folder, sftp://, s3://, https://",
        )
        command.add_argument("--target", required=True, metavar="DSN|S3", help="postgresql://… or s3://bucket/folder/")
        command.add_argument(
            "--jobs", type=_count, metavar="N", help="streams or files at a time (default 2; 256, or 64 from afar)"
        )
        command.add_argument("--json", action="store_true", help="a JSON object per line, for programs")
        command.add_argument(
            "--report", type=Path, action="append", default=[], metavar="FILE",
            help="write what was compared: a page if FILE ends in .html, else JSON; may be given twice",
        )  # fmt: skip
        command.add_argument(
            "--keys", action="store_true", help="name rows and files in clear on that page, personal data or not"
        )
        command.add_argument("--lang", choices=("th", "en"), default="en", help="language of what is printed, and of"
                             " the page")  # fmt: skip
        command.set_defaults(run=f"launcher.by_hand:{run}")
    for command in (move, compare):
        command.add_argument(
            "--bandwidth", metavar="LIMITS",
            help="files: of the source's line, in Mbit/s: 50, or office=20,night=400 (Monday to Friday 08:30-16:30 in"
            " Bangkok without public holidays; opens=07:00,closes=18:00 sets other hours)",
        )  # fmt: skip
    compare.add_argument(
        "--source-share", type=_share, default=1.0, metavar="X",
        help="each stream keeps the source's server at work for this share of the time, and rests else (default 1)",
    )  # fmt: skip
    compare.add_argument(
        "--statement-timeout", type=_count, default=900, metavar="SECONDS",
        help="a table that takes longer to read is unknown, never equal (default 900)",
    )  # fmt: skip
    move.add_argument(
        "--engine", metavar="NAME", help="copy for a database, upload for files; there is no other without a journey"
    )
    move.add_argument("--resume", action="store_true", help="keep what an interrupted move brought, if it still may")


def _secrets(several: Several) -> None:
    made = several.add_parser("secrets", help="make the secrets that docker-compose.yaml asks for, as .env")
    made.add_argument("--sandbox", action="store_true", help="with everybody's login, and the sandbox switched on")
    made.add_argument("--file", type=Path, metavar="FILE", help="write there instead")
    made.add_argument("--lang", choices=("th", "en"), default="en", help="language of what is printed (default en)")
    made.set_defaults(run="launcher.deployment:command")


def _reading(several: Several) -> None:
    verify = several.add_parser(
        "verify-evidence", help="check the ledger's chain and its anchors (something must be running)"
    )
    verify.add_argument("--lang", choices=("th", "en"), default="en", help="language of what is printed (default en)")
    verify.set_defaults(run="launcher.reading:verify_evidence")
    report = several.add_parser("report", help="the figures of what runs now, as JSON")
    report.add_argument("--report", type=Path, metavar="FILE", help="write them to a file instead")
    report.set_defaults(run="launcher.reading:report")


def _agency_dns(several: Several) -> None:
    dns = several.add_parser(
        "agency-dns",
        help="sandbox: change a record at an agency's own DNS, as its administrator",
        description="In the sandbox, what an agency's administrator does when a journey asks for it (gate `named`).",
    )
    dns.add_argument("record", metavar="RECORD", help="the service's name, e.g. coops.p11.go.th.example")
    dns.add_argument("host", metavar="HOST", help="where it leads from now on: a host name or an IPv4 address")
    dns.add_argument("--lang", choices=("th", "en"), default="en", help="language of what is printed (default en)")
    dns.set_defaults(run="launcher.agency_dns:command")


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be greater than 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)
