"""The master user's password: given, or made and kept in Secrets Manager."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend

from sandbox.rds import rules, servers
from sandbox.rds.model import Instance
from sandbox.state import AwsError, Call


def chosen(asked: Mapping[str, Any]) -> str:
    """The given password, or a made one when Secrets Manager is to keep it."""
    if asked.get("ManageMasterUserPassword"):
        if "MasterUserPassword" in asked:
            raise AwsError(
                "InvalidParameterCombination",
                "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled.",
            )
        return secrets.token_urlsafe(24)
    return rules.master_password(asked.get("MasterUserPassword"))


def keep_in_secret(call: Call, instance: Instance, password: str) -> str:
    """The ARN of a new secret `rds!db-...` that holds the login as JSON."""
    backend = get_backend("secretsmanager")[call.account][call.region]
    secret = backend.create_managed_secret(
        service_name="rds",
        secret_id=f"rds!db-{uuid.uuid4()}",
        secret_string=json.dumps({"username": instance.master, "password": password}),
        description=f"The secret associated with the primary RDS DB instance: {instance.arn}",
        kms_key_id=call.params.get("MasterUserSecretKmsKeyId"),
        tags=[{"Key": "aws:rds:primaryDBInstanceArn", "Value": instance.arn}],
    )
    return str(secret.arn)


def forget(instance: Instance) -> None:
    """The secret goes with its instance."""
    if instance.secret_arn is not None:
        backend = get_backend("secretsmanager")[instance.place[0]][instance.place[1]]
        backend.delete_secret(instance.secret_arn, recovery_window_in_days=None, force_delete_without_recovery=True)


def change(instance: Instance, password: str) -> None:
    """The master user logs in with `password` from now on."""
    with instance.cluster.connect() as connection:
        servers.set_password(connection, instance.master, password)
