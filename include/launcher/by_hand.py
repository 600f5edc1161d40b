"""An engine or the verifier by itself, from the command line: moved and proven, different, refused, or failed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from launcher.by_hand_places import DEFAULT_REGION, line, place
from launcher.by_hand_report import Report, writable
from launcher.by_hand_voice import Voice
from onboarding import aws
from onboarding.addresses import Database
from onboarding.alone.databases import move_database, obstacles
from onboarding.alone.files import move_files
from onboarding.errors import OnboardingError, Stop
from onboarding.files.upload import IN_FLIGHT
from onboarding.reconcile import compare_databases
from onboarding.reconcile.files import compare_files
from sandbox.postgres import bin_dir

STREAMS = 2
PROVEN, DIFFERENT, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 130
TAKEN = {"host", "port", "dbname", "user", "password", "sslmode", "sslrootcert"}

Work = Callable[[argparse.Namespace, Voice, Report], bool]


def move(asked: argparse.Namespace) -> int:
    """Moves one database or folder and proves it."""
    return _answered(asked, _move_files if asked.what == "files" else _move_database)


def reconcile(asked: argparse.Namespace) -> int:
    """Compares two databases, or a folder and a bucket; nothing is written anywhere."""
    return _answered(asked, _compare_files if asked.what == "files" else _compare_databases)


def _answered(asked: argparse.Namespace, work: Work) -> int:
    voice = Voice(asked.lang, as_json=asked.json)
    try:
        if asked.what == "database" and asked.bandwidth:
            raise Stop("alone.bandwidth_of_files", where="--bandwidth")
        report = Report(writable(asked.report), asked.lang, keys=asked.keys)
        return PROVEN if work(asked, voice, report) else DIFFERENT
    except Stop as refusal:
        voice.trouble("refused", refusal)
        return REFUSED
    except OnboardingError as failure:
        voice.trouble("failed", failure)
        return FAILED
    except KeyboardInterrupt:
        voice.say("interrupted")
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # threads that copy would be waited for; the servers undo what was not committed


def _move_database(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
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


def _compare_databases(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
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


def _move_files(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    source = place(asked.source)
    bucket, prefix = address(asked.target)
    s3, take = _s3(), line(asked.bandwidth)
    with voice.progress() as tell:
        moved = move_files(source, s3, bucket, prefix, jobs=asked.jobs or IN_FLIGHT, tell=tell, take=take)
    voice.say("moved_files", files=moved.files, skipped=moved.skipped, bytes=moved.bytes, seconds=moved.seconds)
    return _compare_files(asked, voice, report)


def _compare_files(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    bucket, prefix = address(asked.target)
    source = place(asked.source)
    found = compare_files(source, _s3(), bucket, prefix, take=line(asked.bandwidth))
    report.write(found, str(source), f"s3://{bucket}/{prefix}")
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


def address(text: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix/`; the prefix ends in a stroke and is not empty. Raises Stop."""
    parts = urlsplit(text)
    prefix = parts.path.strip("/")
    if parts.scheme != "s3" or not parts.netloc or not prefix:
        raise Stop("alone.no_bucket", where=text)
    return parts.netloc, f"{prefix}/"


def _s3() -> Any:
    session = aws.session()
    return aws.Cloud(session, session.region_name or DEFAULT_REGION).client("s3")


def _offer_programs() -> None:
    """pg_dump and pg_restore of the wheel, behind those that are installed."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{bin_dir()}"
