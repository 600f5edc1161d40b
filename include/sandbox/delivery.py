"""AWS services that put files into people's buckets: allowed by the bucket's policy or not at all."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from moto.s3.models import FakeBucket, s3_backends

from sandbox import statements
from sandbox.identity import Identities
from sandbox.server import LOOPBACK

RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 2})


def bucket(name: str) -> FakeBucket | None:
    """The bucket of that name, in whatever account it is."""
    if name not in s3_backends.bucket_accounts:
        return None
    partition, account = s3_backends.bucket_accounts[name]
    found: FakeBucket = s3_backends[account][partition].buckets[name]
    return found


def may_write(principal: str, name: str, key: str, source: str, source_account: str) -> bool:
    """Whether the policy of the bucket lets an AWS service put `key` there on behalf of `source` (an ARN)."""
    found = bucket(name)
    if found is None or found.policy is None:
        return False
    context = {
        "aws:sourcearn": source,
        "aws:sourceaccount": source_account,
        "aws:securetransport": "true",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    service = statements.is_service(principal)
    asked = statements.Asked("s3:PutObject", service, f"arn:aws:s3:::{name}/{key}", context)
    return statements.allows(json.loads(found.policy), asked)


class Courier:
    """Puts objects through the sandbox's own S3, as the service that delivers them."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._clients: dict[tuple[str, str], Any] = {}
        self.port = 0

    def put(self, principal: str, name: str, key: str, body: bytes) -> None:
        """Raises botocore's ClientError if S3 refuses, KeyError if the bucket is gone."""
        found = bucket(name)
        if found is None:
            raise KeyError(name)
        self._client(principal, found).put_object(Bucket=name, Key=key, Body=body)

    def _client(self, principal: str, found: FakeBucket) -> Any:
        owner = found.account_id
        if (principal, owner) not in self._clients:
            access_key, secret = self._identities.of_service(principal, owner)
            self._clients[principal, owner] = boto3.client(
                "s3",
                region_name=found.region_name,
                endpoint_url=f"http://{LOOPBACK}:{self.port}",
                aws_access_key_id=access_key,
                aws_secret_access_key=secret,
                config=RETRIES,
            )
        return self._clients[principal, owner]
