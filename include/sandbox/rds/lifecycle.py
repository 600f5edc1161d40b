"""What happens to servers behind an instance's states; time passes by the sandbox's clock, not by being asked."""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Callable

from sandbox.postgres import ServerFailed
from sandbox.rds import parameter_groups, passwords, servers
from sandbox.rds.model import Instance, Rds

log = logging.getLogger("sandbox")

SECONDS_TO_CHANGE = 0.5
"""Least time in `modifying`, `rebooting`, `deleting`, `backing-up`: a caller that does not wait must be found out."""


def make_new(instance: Instance, password: str, database: str | None) -> None:
    """A fresh server with RDS's roles, the master user and its database."""
    instance.cluster.create()
    parameter_groups.boot_settings(instance)
    instance.cluster.start()
    servers.hand_over(instance.cluster, instance.master, password, database)


def bring_up(rds: Rds, instance: Instance, make: Callable[[], None]) -> None:
    """`make` runs after a while; then the instance is available under its name, or failed."""

    def run() -> None:
        try:
            make()
        except Exception:
            log.exception("RDS instance %s could not be made", instance.identifier)
            instance.cluster.stop()
            instance.status = "failed"
            return
        with rds.state.lock:
            rds.state.names[instance.host_name] = instance.address
            instance.status = "available"

    rds.state.schedule(rds.state.settings.seconds_to_create_instance, run)


def change(rds: Rds, instance: Instance, act: Callable[[], None]) -> None:
    """`act` runs after a while; then the instance is available again, or what its failure makes of it."""

    def run() -> None:
        try:
            act()
            status = "available"
        except ServerFailed:
            # the server does not start under what it was told: AWS calls it this, and so may a DBA
            log.exception("RDS instance %s does not start", instance.identifier)
            status = "incompatible-parameters"
        with rds.state.lock:
            instance.status = status

    rds.state.schedule(SECONDS_TO_CHANGE, run)


def restart(instance: Instance) -> None:
    """The server down and up under its group's present values."""
    instance.cluster.stop()
    parameter_groups.boot_settings(instance)
    instance.cluster.start()


def take_down(rds: Rds, instance: Instance, first: Callable[[], None] | None) -> None:
    """After `first` (a last copy): no server, no name, no data; then the instance is unknown."""
    rds.state.schedule(SECONDS_TO_CHANGE, functools.partial(_take_down, rds, instance, first))


def _take_down(rds: Rds, instance: Instance, first: Callable[[], None] | None) -> None:
    if first is not None:
        first()
    with rds.state.lock:
        rds.state.names.pop(instance.host_name, None)
    instance.cluster.stop()
    passwords.forget(instance)
    shutil.rmtree(instance.cluster.data_dir.parent, ignore_errors=True)
    with rds.state.lock:
        del rds.instances[instance.place, instance.identifier]
        rds.state.release_address(instance.address)
