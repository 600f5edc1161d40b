"""One sandbox: its parts put together, started and stopped."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from moto.iam.models import AccessKey, iam_backends

from sandbox import (
    addresses,
    budgets,
    dns,
    iam,
    identity_center,
    keys,
    organizations,
    pretences,
    public_access,
    quotas,
    rds,
    recorder,
    regions,
    route53,
    s3,
    sts,
    trails,
    validation,
)
from sandbox.addresses import Places
from sandbox.audit import Audit
from sandbox.delivery import Courier
from sandbox.gateway import Gateway
from sandbox.identity import Identities
from sandbox.ready import claim_folder
from sandbox.server import LOOPBACK, Server
from sandbox.state import SandboxState

CONTROL_PLANE = (
    validation,
    organizations,
    regions,
    pretences,
    iam,
    identity_center,
    quotas,
    keys,
    budgets,
    public_access,
)
DATA_PLANE = (dns, rds, s3, route53)
ADMINISTRATOR = "administrator"
ANYWHERE = Places()


class Sandbox:
    """Everything behind one ready file."""

    def __init__(self, folder: Path, region: str, places: Places = ANYWHERE) -> None:
        claim_folder(folder)
        subnet, port, self._claim = addresses.claim(places)
        management = str(secrets.randbelow(9 * 10**11) + 10**11)
        self._state = SandboxState(folder, region, subnet, port, management, names_port=places.names_port)
        self._token = secrets.token_urlsafe(32)
        identities = Identities()
        audit, courier = Audit(folder / "audit.jsonl"), Courier(identities)
        for part in (*CONTROL_PLANE, *DATA_PLANE):
            part.install(self._state)
        sts.install(self._state, identities)
        trails.install(self._state, audit, courier)
        recorder.install(self._state, courier)
        self._key = _administrator(management)
        self._server = Server(Gateway(self._state, identities, audit, self._token), places.port)
        courier.port = self._server.port

    def start(self) -> None:
        """Answers from now on."""
        self._server.start()

    def stop(self) -> None:
        """Stops answering, then everything that the parts have started."""
        self._server.stop()
        self._state.stop()
        self._claim.close()

    def described(self) -> dict[str, Any]:
        """The ready file.

        `aws_endpoint_url` is for AWS_ENDPOINT_URL. Some operations put a prefix before the host
        (`<account>.` for s3control); with a user part in the URL the prefix lands there, and the host stays
        127.0.0.1, so that no name has to resolve. `endpoint` is the same without, for /_sandbox.
        """
        return {
            "pid": os.getpid(),
            "endpoint": f"http://{LOOPBACK}:{self._server.port}",
            "aws_endpoint_url": f"http://sandbox@{LOOPBACK}:{self._server.port}",
            "nameserver": self._state.nameserver,
            "service_port": self._state.service_port,
            "subnet": self._state.subnet,
            "region": self._state.region,
            "token": self._token,
            "management_account": self._state.management_account,
            "access_key": self._key.access_key_id,
            "secret_key": self._key.secret_access_key,
        }


def _administrator(account: str) -> AccessKey:
    """The key of a user who may do everything in the management account."""
    backend = iam_backends[account]["aws"]
    backend.create_user(region_name="us-east-1", user_name=ADMINISTRATOR)
    backend.attach_user_policy("arn:aws:iam::aws:policy/AdministratorAccess", ADMINISTRATOR)
    key: AccessKey = backend.create_access_key(user_name=ADMINISTRATOR)
    return key
