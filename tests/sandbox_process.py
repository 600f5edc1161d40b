"""A sandbox process for tests: started, reached with boto3, asked about itself, and always stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

INCLUDE = Path(__file__).parents[1] / "include"
STARTS_WITHIN_S = 60
STOPS_WITHIN_S = 30

Cloud = dict[str, Any]


@contextmanager
def running(folder: Path, stop_with: signal.Signals = signal.SIGTERM) -> Iterator[Cloud]:
    """The ready file of a sandbox that lives as long as the `with` block; RuntimeError if it does not stop clean."""
    ready = folder / "ready.json"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--state", folder / "state", "--ready", ready, "--watch-stdin"],
            stdin=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(INCLUDE)},
        )
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield json.loads(ready.read_text())
    finally:
        process.send_signal(stop_with)
        try:
            status = process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    if status != 0:
        raise RuntimeError(f"the sandbox ended with {status}:\n{(folder / 'log').read_text()}")


def ask(cloud: Cloud, what: str, body: dict[str, Any] | None = None, *, method: str | None = None) -> dict[str, Any]:
    """`/_sandbox/<what>`: POST with a body, GET without. The status is added to a refusal's answer."""
    request = urllib.request.Request(
        f"{cloud['endpoint']}/_sandbox/{what}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Sandbox-Token": cloud["token"]},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.HTTPError as refused:
        return {"status": refused.code, **json.load(refused)}


def client(cloud: Cloud, service: str, region: str = "us-east-1", session: dict[str, str] | None = None) -> Any:
    """A boto3 client: the management account's administrator, or `session` (STS credentials)."""
    keys = session or {"AccessKeyId": cloud["access_key"], "SecretAccessKey": cloud["secret_key"]}
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=cloud["aws_endpoint_url"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
    )


def assume(cloud: Cloud, role_arn: str, session: dict[str, str] | None = None, **extra: str) -> dict[str, str]:
    """Credentials of a role."""
    sts = client(cloud, "sts", session=session)
    found: dict[str, str] = sts.assume_role(RoleArn=role_arn, RoleSessionName="test", **extra)["Credentials"]
    return found


def wait_for(condition: Any, within_s: float = 10) -> Any:
    """The first truthy answer of `condition`."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it never came")
        time.sleep(0.02)
    return answer


def vend(cloud: Cloud, name: str) -> str:
    """The id of a new account."""
    organizations = client(cloud, "organizations")
    request = organizations.create_account(AccountName=name, Email=f"{name}@x.example")["CreateAccountStatus"]["Id"]

    def account() -> str | None:
        asked = organizations.describe_create_account_status(CreateAccountRequestId=request)
        found: str | None = asked["CreateAccountStatus"].get("AccountId")
        return found

    return str(wait_for(account))


def into(cloud: Cloud, account: str) -> dict[str, str]:
    """Credentials of the role that every created account has."""
    return assume(cloud, f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")
