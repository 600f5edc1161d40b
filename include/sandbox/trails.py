"""CloudTrail: a trail that is logging puts real log files into its bucket, and says when it last did."""

from __future__ import annotations

import gzip
import json
import logging
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudtrail.models import CloudTrailBackend, Trail, cloudtrail_backends

from sandbox.audit import Audit
from sandbox.delivery import Courier, bucket, may_write
from sandbox.state import AwsError, Call, SandboxState

log = logging.getLogger("sandbox")
PRINCIPAL = "cloudtrail.amazonaws.com"
DATA_EVENTS = frozenset({"PutObject", "UploadPart", "CompleteMultipartUpload", "DeleteObject", "DeleteObjects"})
"""S3 object calls are data events: a trail does not record them unless it selects them."""


@dataclass
class Delivered:
    """What a trail has put into its bucket so far."""

    seq: int = 0
    at: datetime | None = None
    error: str | None = None
    running: bool = False


def install(state: SandboxState, audit: Audit, courier: Courier) -> None:
    """Trails deliver the sandbox's own audit log: the calls that changed something, not those that only read."""
    trails = Trails(state, audit, courier)
    state.check("cloudtrail", "CreateTrail", trails.check_new)
    state.check("cloudtrail", "UpdateTrail", trails.check_bucket)
    state.handle("cloudtrail", "StartLogging", trails.start)
    state.handle("cloudtrail", "GetTrailStatus", trails.status)


class Trails:
    """All trails of all accounts."""

    def __init__(self, state: SandboxState, audit: Audit, courier: Courier) -> None:
        self._state, self._audit, self._courier = state, audit, courier
        self._delivered: dict[str, Delivered] = {}

    def check_new(self, call: Call) -> None:
        """The name is free in the account and region, and the bucket lets CloudTrail in."""
        if call.params["Name"] in _backend(call).trails:
            raise AwsError("TrailAlreadyExistsException", f"Trail {call.params['Name']} already exists.")
        self.check_bucket(call)

    def check_bucket(self, call: Call) -> None:
        """Where the bucket exists, its policy allows the log files of this trail."""
        name = call.params.get("S3BucketName")
        if name is None or bucket(name) is None:
            return
        arn = f"arn:aws:cloudtrail:{call.region}:{call.account}:trail/{call.params['Name']}"
        prefix = call.params.get("S3KeyPrefix")
        if not may_write(PRINCIPAL, name, _folder(prefix, call.account) + "/x", arn, call.account):
            said = f"Incorrect S3 bucket policy is detected for bucket: {name}"
            raise AwsError("InsufficientS3BucketPolicyException", said)

    def start(self, call: Call) -> dict[str, Any]:
        """Logging from now on; the first file comes after `seconds_to_deliver_trail`."""
        trail = _backend(call).get_trail(call.params["Name"])
        trail.start_logging()
        with self._state.lock:
            delivered = self._delivered.setdefault(trail.arn, Delivered())
            if not delivered.running:
                delivered.running, delivered.seq = True, self._audit.last
                self._later(trail, delivered)
        return {}

    def status(self, call: Call) -> dict[str, Any]:
        """IsLogging, and LatestDeliveryTime only if something was delivered."""
        status = _backend(call).get_trail_status(call.params["Name"])
        trail = next(one for one in _backend(call).describe_trails(True) if one.status is status)
        delivered = self._delivered.get(trail.arn, Delivered())
        known = {
            "IsLogging": status.is_logging,
            "StartLoggingTime": status.started,
            "StopLoggingTime": status.stopped,
            "LatestDeliveryTime": delivered.at,
            "LatestDeliveryError": delivered.error,
        }
        return {name: value for name, value in known.items() if value is not None}

    def _later(self, trail: Trail, delivered: Delivered) -> None:
        self._state.schedule(self._state.settings.seconds_to_deliver_trail, self._round(trail, delivered))

    def _round(self, trail: Trail, delivered: Delivered) -> Callable[[], None]:
        def deliver() -> None:
            backend = cloudtrail_backends[trail.account_id][trail.region_name]
            if not trail.status.is_logging or trail.trail_name not in backend.trails:
                delivered.running = False
                return
            try:
                self._deliver(trail, delivered)
            finally:
                self._later(trail, delivered)

        return deliver

    def _deliver(self, trail: Trail, delivered: Delivered) -> None:
        entries = self._audit.entries(delivered.seq)
        concerned = [entry for entry in entries if _concerns(trail, entry)]
        if not concerned:
            return
        now = self._state.now()
        folder = f"{_folder(trail.s3_key_prefix, trail.account_id)}/{trail.region_name}/{now:%Y/%m/%d}"
        file = f"{trail.account_id}_CloudTrail_{trail.region_name}_{now:%Y%m%dT%H%MZ}_{secrets.token_hex(8)}.json.gz"
        try:
            if not may_write(PRINCIPAL, trail.bucket_name, f"{folder}/{file}", trail.arn, trail.account_id):
                raise PermissionError("AccessDenied")
            records = json.dumps({"Records": [_record(entry) for entry in concerned]}, ensure_ascii=False)
            self._courier.put(PRINCIPAL, trail.bucket_name, f"{folder}/{file}", gzip.compress(records.encode()))
        except (ClientError, KeyError, PermissionError) as refused:
            delivered.error = "NoSuchBucket" if isinstance(refused, KeyError) else "AccessDenied"
            log.warning("%s could not deliver: %s", trail.arn, refused)
        else:
            delivered.seq, delivered.at, delivered.error = entries[-1]["seq"], now, None


def _backend(call: Call) -> CloudTrailBackend:
    found: CloudTrailBackend = cloudtrail_backends[call.account][call.region]
    return found


def _folder(prefix: str | None, account: str) -> str:
    return f"{prefix}/AWSLogs/{account}/CloudTrail" if prefix else f"AWSLogs/{account}/CloudTrail"


def _concerns(trail: Trail, entry: dict[str, Any]) -> bool:
    near = trail.is_multi_region or entry["region"] == trail.region_name
    is_data = entry["service"] == "s3" and entry["action"] in DATA_EVENTS
    return near and entry["account"] == trail.account_id and not is_data


def _record(entry: dict[str, Any]) -> dict[str, Any]:
    """One event in CloudTrail's record format, as far as the sandbox knows it."""
    return {
        "eventVersion": "1.08",
        "eventID": str(uuid.uuid4()),
        "eventTime": entry["at"],
        "eventSource": f"{entry['service']}.amazonaws.com",
        "eventName": entry["action"],
        "eventType": "AwsApiCall",
        "awsRegion": entry["region"],
        "readOnly": False,
        "recipientAccountId": entry["account"],
        "userIdentity": {"accountId": entry["account"]},
        "requestParameters": entry["params"],
        "errorCode": entry["error"],
    }
