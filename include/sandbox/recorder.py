"""AWS Config: a recorder needs a role that exists and a bucket that lets it write, and shows it by writing."""

from __future__ import annotations

from typing import Any

from moto.config.models import config_backends

from sandbox.delivery import Courier, bucket, may_write
from sandbox.state import AwsError, Call, SandboxState
from sandbox.sts import find_role

PRINCIPAL = "config.amazonaws.com"
WRITABLE = "ConfigWritabilityCheckFile"


def install(state: SandboxState, courier: Courier) -> None:
    """Puts in front of moto what moto assumes."""
    recorder = Recorder(state, courier)
    state.check("config", "PutConfigurationRecorder", recorder.check_role)
    state.check("config", "PutDeliveryChannel", recorder.check_channel)
    state.handle("config", "StartConfigurationRecorder", recorder.start)


class Recorder:
    """Rules on recorders and delivery channels."""

    def __init__(self, state: SandboxState, courier: Courier) -> None:
        self._state, self._courier = state, courier

    def check_role(self, call: Call) -> None:
        """The role exists in this account."""
        arn = call.params["ConfigurationRecorder"].get("roleARN", "")
        role = find_role(arn)
        if role is None or role.account_id != call.account:
            raise AwsError("InvalidRoleException", f"The role ARN '{arn}' is invalid.")

    def check_channel(self, call: Call) -> None:
        """The bucket exists and takes Config's test file, which stays there as on AWS."""
        channel = call.params["DeliveryChannel"]
        name, prefix = channel.get("s3BucketName", ""), channel.get("s3KeyPrefix")
        if bucket(name) is None:
            raise AwsError("NoSuchBucketException", f"Cannot find a S3 bucket with an empty or unknown name: '{name}'.")
        folder = f"AWSLogs/{call.account}/Config"
        key = f"{prefix}/{folder}/{WRITABLE}" if prefix else f"{folder}/{WRITABLE}"
        if not may_write(PRINCIPAL, name, key, f"arn:aws:config:{call.region}:{call.account}:*", call.account):
            raise AwsError(
                "InsufficientDeliveryPolicyException",
                f"Insufficient delivery policy to s3 bucket: {name}, unable to write to bucket.",
            )
        self._courier.put(PRINCIPAL, name, key, b"")

    def start(self, call: Call) -> dict[str, Any]:
        """PENDING, and after `seconds_to_deliver_trail` SUCCESS."""
        name = call.params["ConfigurationRecorderName"]
        backend = config_backends[call.account][call.region]
        backend.start_configuration_recorder(name)

        def succeed() -> None:
            recorder = backend.recorders.get(name)
            if recorder is not None and recorder.status.recording:
                recorder.status.last_status = "SUCCESS"

        self._state.schedule(self._state.settings.seconds_to_deliver_trail, succeed)
        return {}
