"""Files held against their copies: all of them, and under the freeze only what changed since that was last done.

Of each file that was found equal, what tells that it and its copy are still those (`reconcile.files_stamps`) is kept in
the pilot's own bucket, for it names files; the ledger keeps the SHA-256 of that list, and no other list is used.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.bandwidth import take_of
from onboarding.manifest_files import FilesWorkload
from onboarding.reconcile.files import compare_files
from onboarding.reconcile.files_report import FilesComparison
from onboarding.reconcile.files_stamps import NONE, Stamps
from onboarding.stages.pilot import Pilot
from onboarding.stages.uploading import PREFIX, bucket

KEPT = "files_seen"


def compared(pilot: Pilot, workload: FilesWorkload, *, proven: Stamps | None = None) -> FilesComparison:
    """The files where they come from against the bucket, within the workload's bandwidth."""
    s3, take = pilot.cloud.client("s3"), take_of(workload.bandwidth, pilot.clock)
    at, place = bucket(pilot, workload.name), pilot.folders[workload.name]
    return compare_files(place, s3, at, PREFIX, take=take, proven=proven, began=pilot.clock().timestamp())


def prove_and_keep(pilot: Pilot, workload: FilesWorkload) -> FilesComparison:
    """All files, and what tells of each that was found equal that it still is."""
    found = compared(pilot, workload, proven=NONE)
    _keep(pilot, workload.name, found.stamps)
    return found


def prove_changed(pilot: Pilot, workload: FilesWorkload) -> FilesComparison:
    """Those files of which nothing tells that they are still as they were proven."""
    return compared(pilot, workload, proven=_seen(pilot, workload.name))


def prove_round(pilot: Pilot) -> None:
    """What changed since the last time is read now, while nobody waits for it. Whatever differs is found later."""
    for workload in pilot.manifest.files:
        _keep(pilot, workload.name, prove_changed(pilot, workload).stamps)


def _keep(pilot: Pilot, workload: str, stamps: Stamps) -> None:
    body = gzip.compress(json.dumps(stamps, ensure_ascii=False, sort_keys=True).encode(), mtime=0)
    digest = hashlib.sha256(body).hexdigest()
    pilot.cloud.client("s3").put_object(
        Bucket=bucket(pilot, workload), Key=_key(digest), Body=body, ChecksumAlgorithm="SHA256"
    )
    pilot.record(KEPT, workload, {"sha256": digest, "files": len(stamps)})


def _seen(pilot: Pilot, workload: str) -> Stamps:
    """The list that was kept last; none where there is none, or where it is not the one that the ledger knows."""
    kept = pilot.ledger.latest(pilot.id, KEPT, workload)
    if kept is None:
        return NONE
    try:
        found = pilot.cloud.client("s3").get_object(Bucket=bucket(pilot, workload), Key=_key(kept.body["sha256"]))
    except ClientError as failure:
        if code_of(failure) in ("NoSuchKey", "404"):
            return NONE
        raise
    body = found["Body"].read()
    if hashlib.sha256(body).hexdigest() != kept.body["sha256"]:
        return NONE
    listed: dict[str, Any] = json.loads(gzip.decompress(body))
    return {path: (str(source), str(target)) for path, (source, target) in listed.items()}


def _key(digest: str) -> str:
    return f"_proof/{digest}.json.gz"
