"""One folder by itself, from the command line: moved and proven, or compared."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import urlsplit

from launcher.by_hand_places import DEFAULT_REGION, line, place
from launcher.by_hand_report import Report
from launcher.by_hand_voice import Voice
from onboarding import aws
from onboarding.alone.files import move_files
from onboarding.errors import Stop
from onboarding.reconcile.files import compare_files


def move(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    """Moves one folder and proves it; False when something is missing or differs."""
    source = place(asked.source)
    bucket, prefix = address(asked.target)
    s3, take = _s3(), line(asked.bandwidth)
    with voice.progress() as tell:
        moved = move_files(source, s3, bucket, prefix, jobs=asked.jobs, tell=tell, take=take)
    voice.say("moved_files", files=moved.files, skipped=moved.skipped, bytes=moved.bytes, seconds=moved.seconds)
    return compare(asked, voice, report)


def compare(asked: argparse.Namespace, voice: Voice, report: Report) -> bool:
    """Compares a folder and a bucket; nothing is written to either."""
    bucket, prefix = address(asked.target)
    source = place(asked.source)
    found = compare_files(source, _s3(), bucket, prefix, take=line(asked.bandwidth))
    report.write(found, str(source), f"s3://{bucket}/{prefix}")
    return voice.compared(found, report.names)


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
