"""RDS for PostgreSQL whose instances are real servers; what is not done here answers 501.

One instance is one `postgres.Cluster` on a loopback address of its own. Engines other than `postgres`, versions other
than that of the installed binaries, TLS (`rds.force_ssl`), IAM database authentication, replicas, clusters, point in
time restore and automated backups are absent. Network, storage class, encryption and windows are checked and
described back, but mean nothing on one machine; security groups do not gate the port.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import botocore.session

from sandbox.rds import catalogue, instances, parameter_groups, snapshots, subnet_groups, tags
from sandbox.rds.model import Rds
from sandbox.state import AwsError, Call, SandboxState

MODULES = (catalogue, instances, parameter_groups, snapshots, subnet_groups, tags)


def install(state: SandboxState) -> None:
    """RDS answers from here on."""
    rds = Rds(state)
    for operation in botocore.session.get_session().get_service_model("rds").operation_names:
        state.handle("rds", operation, _absent)
    for module in MODULES:
        for operation, handler in module.OPERATIONS.items():
            state.handle("rds", operation, functools.partial(handler, rds))
    state.on_stop(rds.stop)


def _absent(call: Call) -> Mapping[str, Any]:
    raise AwsError("NotImplemented", f"the sandbox does not implement rds:{call.operation}", 501)
