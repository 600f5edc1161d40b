"""What the pages of the UI read: the last look of a gate, a file of a report."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.gates import last_seen as observations_of
from onboarding.gates import reasons
from onboarding.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def last_seen(ledger: Ledger, pilot_id: str, gate: str) -> list[dict[str, Any]]:
    """Each check of a gate's last look, with what to do about it in both languages."""
    return [
        seen.as_json() | {f"todo_{language}": " ".join(reasons(seen, language)) for language in ("th", "en")}
        for seen in observations_of(ledger, pilot_id, gate)
    ]


@explaining("s3")
def report_file(s3: S3Client, bucket: str, pilot_id: str, path: str) -> bytes | None:
    """The content of a report's file of this pilot; None when there is none, or `path` leads out of its reports."""
    normal = posixpath.normpath(path)
    if normal != path or normal.startswith((".", "/")):
        return None
    try:
        return s3.get_object(Bucket=bucket, Key=f"reports/{pilot_id}/{path}")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
