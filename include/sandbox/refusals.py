"""The words with which each service says that it does not know who is asking."""

from __future__ import annotations

from moto.core.utils import get_service_model

from sandbox.state import AwsError


def unknown_credentials(service: str) -> AwsError:
    """How `service` refuses a key that it does not know, or not in this region."""
    said = "The security token included in the request is invalid."
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service in ("s3", "s3control"):
        missing = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", missing, 403)
    protocol = _protocol(service)
    if protocol in ("query", "rest-xml"):
        return AwsError("InvalidClientTokenId", said, 403)
    return AwsError("UnrecognizedClientException", said, 400 if protocol == "json" else 403)


def _protocol(service: str) -> str:
    try:
        return str(get_service_model(service).protocol)
    except Exception:  # a service that botocore does not know has no protocol of its own
        return "json"
