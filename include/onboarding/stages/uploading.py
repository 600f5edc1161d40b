"""One folder of files to its bucket, batch by batch; what is there already is not sent again."""

from __future__ import annotations

import json
import time

from onboarding import targets
from onboarding.bandwidth import take_of
from onboarding.evidence_kinds import MovedFiles, Moving
from onboarding.files import plan, upload
from onboarding.files.objects import put_small
from onboarding.stages import sides
from onboarding.stages.halfway import Halfway
from onboarding.stages.pilot import Pilot

PREFIX = "files/"


def bucket(pilot: Pilot, workload: str) -> str:
    return targets.bucket_name(pilot.manifest, workload, pilot.account_id)


def plan_files(pilot: Pilot, workload: str) -> list[str]:
    """Divide the folder into batches of about the same size; returns their names."""
    batches = plan.plan(pilot.folders[workload], pilot.files_workload(workload).batches, prefix=PREFIX)
    s3 = pilot.cloud.client("s3")
    for batch in batches:
        body = json.dumps(batch.as_json(), ensure_ascii=False).encode()
        put_small(s3, bucket(pilot, workload), _plan_key(batch.id), body)
    weights = {batch.id: batch.size for batch in batches}
    pilot.record("files_plan", workload, {"batches": list(weights), "weights": weights})
    return [batch.id for batch in batches]


def move_files(pilot: Pilot, unit: str, workload: str) -> dict[str, int]:
    """Send one batch, each file under a checksum that S3 verifies.

    As many batches as the workload has may be under way at the same time, so that each has its share of the bandwidth.
    """
    s3 = pilot.cloud.client("s3")
    stored = s3.get_object(Bucket=bucket(pilot, workload), Key=_plan_key(unit))["Body"].read()
    batch = plan.Batch.from_json(json.loads(stored))
    began = time.monotonic()
    asked = pilot.files_workload(workload)
    take = take_of(asked.bandwidth, pilot.clock, shares=asked.batches)
    told = Halfway(pilot, lambda size: Moving(workload, "files", "upload", unit, size))
    moved = upload.move_unit(
        pilot.folders[workload], batch, s3, bucket(pilot, workload), prefix=PREFIX, take=take, told=told
    )
    seconds = round(time.monotonic() - began, 3)
    pilot.record(*MovedFiles(workload, "upload", unit, moved.files, moved.bytes, seconds).as_record())
    return {"files": moved.files, "bytes": moved.bytes, "skipped": moved.skipped}


def send_changes(pilot: Pilot) -> dict[str, int]:
    """Send what was added or changed in the folders since they were uploaded: before the freeze, and under it."""
    sent = {}
    for workload in () if sides.has_switched(pilot) else pilot.manifest.files:
        root, s3 = pilot.folders[workload.name], pilot.cloud.client("s3")
        batches = plan.plan(root, workload.batches, prefix=PREFIX)
        take = take_of(workload.bandwidth, pilot.clock)
        keep = {file.path for batch in batches for file in batch.files}
        upload.clean_up(s3, bucket(pilot, workload.name), PREFIX, keep=keep)
        moved = [
            upload.move_unit(root, batch, s3, bucket(pilot, workload.name), prefix=PREFIX, replace=True, take=take)
            for batch in batches
        ]
        sent[workload.name] = sum(one.files - one.skipped for one in moved)
    return sent


def _plan_key(batch: str) -> str:
    return f"_plan/{batch}.json"
