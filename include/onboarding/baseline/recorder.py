"""The account's configuration recorder: what every resource looked like, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.baseline.trail import log_bucket
from onboarding.effects import Effects
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_config import ConfigServiceClient
    from mypy_boto3_iam import IAMClient

NAME = "namrong"
SERVICE = "config.amazonaws.com"
SERVICE_ROLE = "AWSServiceRoleForConfig"


@explaining("config")
def ensure_recorder(config: ConfigServiceClient, iam: IAMClient, effects: Effects) -> str:
    """The recorder's name: it records everything, global resources too, and delivers to the log bucket."""
    _ensure_service_role(iam, effects)
    role = f"arn:aws:iam::{effects.account}:role/aws-service-role/{SERVICE}/{SERVICE_ROLE}"

    def find_recorder() -> Mapping[str, str] | None:
        return next(({"recorder": each["name"]} for each in _recorders(config) if each["name"] == NAME), None)

    def put_recorder() -> Mapping[str, str]:
        config.put_configuration_recorder(
            ConfigurationRecorder={
                "name": NAME,
                "roleARN": role,
                "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
            }
        )
        return {"recorder": NAME}

    def find_channel() -> Mapping[str, str] | None:
        channels = config.describe_delivery_channels()["DeliveryChannels"]
        return next(({"channel": each["name"]} for each in channels if each["name"] == NAME), None)

    def put_channel() -> Mapping[str, str]:
        config.put_delivery_channel(DeliveryChannel={"name": NAME, "s3BucketName": log_bucket(effects.account)})
        return {"channel": NAME}

    request = {"name": NAME}
    effects.settle("config", "PutConfigurationRecorder", NAME, request, find=find_recorder, perform=put_recorder)
    effects.settle("config", "PutDeliveryChannel", NAME, request, find=find_channel, perform=put_channel)
    if not _is_recording(config):
        config.start_configuration_recorder(ConfigurationRecorderName=NAME)
    return NAME


@explaining("config")
def observe_recorder(config: ConfigServiceClient, now: datetime) -> Observation:
    """Pass when the recorder records everything and its last delivery did not fail."""
    recorder = next((each for each in _recorders(config) if each["name"] == NAME), None)
    statuses = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    status = next((each for each in statuses if each["name"] == NAME), None)
    everything = bool(recorder and recorder.get("recordingGroup", {}).get("allSupported"))
    observed = {
        "recording": bool(status and status["recording"]),
        "everything": everything,
        "failed": bool(status and status.get("lastStatus", "").upper() == "FAILURE"),
    }
    expected = {"recording": True, "everything": True, "failed": False}
    answer = Answer.PASS if observed == expected else Answer.FAIL
    return Observation("account.recorder", answer, observed, expected, now, "baseline.recorder", {"observed": observed})


def _recorders(config: ConfigServiceClient) -> list[Any]:
    return list(config.describe_configuration_recorders()["ConfigurationRecorders"])


def _is_recording(config: ConfigServiceClient) -> bool:
    statuses = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    return any(each["name"] == NAME and each["recording"] for each in statuses)


def _ensure_service_role(iam: IAMClient, effects: Effects) -> None:
    def find() -> Mapping[str, str] | None:
        try:
            return {"role": iam.get_role(RoleName=SERVICE_ROLE)["Role"]["RoleName"]}
        except iam.exceptions.NoSuchEntityException:
            return None

    def perform() -> Mapping[str, str]:
        iam.create_service_linked_role(AWSServiceName=SERVICE)
        return {"role": SERVICE_ROLE}

    effects.make("iam", "CreateServiceLinkedRole", SERVICE, {"service": SERVICE}, find=find, perform=perform)
