"""AWS clients, built in one place: explicit retries, time limits, and another account through a role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from onboarding.aws_errors import code_of, explaining
from onboarding.errors import TryAgain

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SESSION_S = 3_600  # role chaining allows no longer session (IAM User Guide, "Roles terms and concepts")

REFUSALS = ("AccessDenied", "AccessDeniedException")

CREATING = re.compile(r"(Create|Restore|Run|Copy|Request|Invite)[A-Z]")
"""Operations that make one more thing each time they succeed."""

REFUSED_UNDONE = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
"""Codes of a throttle that some services answer with status 503."""

CONFIG = Config(
    # botocore's own default is three attempts and may change: a limit that matters is written down.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=256,  # as many files are under way at a time
    user_agent_extra="namrong",
    # S3 holds each body against the SHA-256 that we send beside it: signing would hash the same bytes once more.
    s3={"payload_signing_enabled": False},
)


class _Models(Loader):
    """AWS's descriptions of its services, read once in a process: a session of its own would read them again."""

    @property
    def search_paths(self) -> list[str]:
        # A copy: boto3 adds its own folder (of resources, which we do not use) with each session.
        return [*super().search_paths]


MODELS = _Models()


def session(access_key: str | None = None, secret_key: str | None = None, token: str | None = None) -> boto3.Session:
    """A session with these credentials, else with those that boto3 finds; it shares `MODELS` with all others."""
    core = botocore.session.Session()
    core.register_component("data_loader", MODELS)
    return boto3.Session(access_key, secret_key, token, botocore_session=core)


@dataclass(frozen=True)
class Cloud:
    """One AWS account in one region, as seen with one set of credentials. `str()` shows no credential.

    Without `endpoint_url` boto3 honours AWS_ENDPOINT_URL by itself.
    """

    session: boto3.Session = field(repr=False)
    region: str
    endpoint_url: str | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client of `service`, in this region unless another is named; threads may share it."""
        key = service, region or self.region
        if key not in self._clients:
            self._clients[key] = self._build(*key)
        return self._clients[key]

    def _build(self, service: str, region: str) -> Any:
        build: Any = self.session.client
        client = build(service, region_name=region, endpoint_url=self.endpoint_url, config=CONFIG)
        if service != "s3":  # its names make creating idempotent, and large uploads need every retry
            # At the same depth as botocore's own handler, or that one would be asked first.
            depth = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
            client.meta.events.register_first(depth, _not_twice)
        if service == "s3control":
            client.meta.events.register("before-call.s3-control", _without_account_in_address)
        return client

    def account_id(self) -> str:
        """The twelve digits of the account that the credentials belong to."""
        sts: STSClient = self.client("sts")
        with explaining("sts"):
            return sts.get_caller_identity()["Account"]

    def assume(
        self, role_arn: str, session_name: str, external_id: str | None = None, region: str | None = None
    ) -> Cloud:
        """The account of `role_arn`, for an hour. Raises TryAgain when the role does not let us in.

        A refusal may pass: a new account's or role's trust takes its time to spread (IAM User Guide, "Troubleshoot
        IAM"). Whoever waits for it has a deadline.
        The session comes from this cloud's own regional STS endpoint: a token of the global endpoint is refused in
        opt-in regions such as ap-southeast-7 (IAM User Guide, "Manage AWS STS in an AWS Region").
        """
        sts: STSClient = self.client("sts")
        asked: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": SESSION_S}
        if external_id is not None:
            asked["ExternalId"] = external_id
        with explaining(role_arn):
            try:
                granted = sts.assume_role(**asked)["Credentials"]
            except ClientError as failure:
                if code_of(failure) in REFUSALS:
                    raise TryAgain("aws.role_refused", where=role_arn, code=code_of(failure)) from failure
                raise
        let_in = session(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])
        return Cloud(let_in, region or self.region, self.endpoint_url)


def _not_twice(
    operation: Any, response: tuple[Any, Mapping[str, Any]] | None = None, **_: Any
) -> Literal[False] | None:
    """No second attempt at a creating call whose outcome is not known: botocore would make a second key or network.

    Without an answer, or with a server's fault, the caller looks first and then asks again (`Ledger.once`). What was
    refused, as a throttle is, has made nothing and is repeated here; so is what carries an idempotency token.
    """
    if CREATING.match(operation.name) is None or operation.idempotent_members:
        return None
    if response is None:
        return False
    code = response[1].get("Error", {}).get("Code", "")
    return None if response[0].status_code < 500 or code in REFUSED_UNDONE else False


def _without_account_in_address(params: dict[str, Any], **_: Any) -> None:
    """S3 Control puts the account id before the host's name; before an IP address that makes no address at all.

    The account travels in the `x-amz-account-id` header as well.
    """
    account = _header(params["headers"], "x-amz-account-id")
    parts = urlsplit(params["url"])
    host = (parts.hostname or "").removeprefix(f"{account}.")
    if account and parts.hostname != host and _is_address(host):
        netloc = host if parts.port is None else f"{host}:{parts.port}"
        params["url"] = urlunsplit(parts._replace(netloc=netloc))


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
