"""One database by itself, from the command line: moved and proven, or compared."""

from __future__ import annotations

import argparse
import os
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from launcher.by_hand_report import Report
from launcher.by_hand_voice import Voice
from onboarding.addresses import Database
from onboarding.alone.databases import move_database, obstacles
from onboarding.errors import Stop
from onboarding.reconcile.databases import compare_databases
from sandbox.postgres_wheel import bin_dir

STREAMS = 2
TAKEN = {"host", "port", "dbname", "user", "password", "sslmode", "sslrootcert"}


def move(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    """Moves one database and proves it; False when it is not equal."""
    _offer_programs()
    source, target = database(asked.source), database(asked.target)
    found = obstacles(source, target, asked.jobs or STREAMS)
    for finding in found:
        voice.finding(finding)
    if any(finding.severity == "critical" for finding in found):
        raise Stop("alone.obstacles", where=str(source))
    with voice.progress() as tell:
        moved = move_database(source, target, jobs=asked.jobs or STREAMS, resume=asked.resume, tell=tell)
    voice.say("moved", rows=moved.rows, bytes=moved.bytes, seconds=moved.seconds)
    report.write(moved.found, str(source), str(target))
    return voice.compared(moved.found, report.names)


def compare(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    """Compares two databases; nothing is written to either."""
    source, target = database(asked.source), database(asked.target)
    found = compare_databases(
        source,
        target,
        jobs=asked.jobs or STREAMS,
        statement_timeout_s=asked.statement_timeout,
        source_share=asked.source_share,
    )
    report.write(found, str(source), str(target))
    return voice.compared(found, report.names)


def database(text: str) -> Database:
    """What a PostgreSQL connection string or URL names; a password that it lacks comes from the password file.

    Raises Stop for what is no connection string, lacks a database or a user, or says more than we would heed.
    """
    try:
        said: dict[str, Any] = conninfo_to_dict(text)
    except ProgrammingError as failure:
        raise Stop("alone.no_address", where="DSN", reason="conninfo") from failure
    wrong = sorted({"dbname", "user"} - said.keys()) + sorted(said.keys() - TAKEN)
    if not str(said.get("port", "5432")).isdecimal():
        wrong.append("port")
    if wrong:
        raise Stop("alone.no_address", where=str(said.get("dbname", "DSN")), reason=", ".join(wrong))
    return Database(
        said.get("host", "localhost"), int(said.get("port", 5432)), said["dbname"], said["user"],
        said.get("password", ""), sslmode=said.get("sslmode", "prefer"), sslrootcert=said.get("sslrootcert", ""),
    )  # fmt: skip


def _offer_programs() -> None:
    """pg_dump and pg_restore of the wheel, behind those that are installed."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{bin_dir()}"
