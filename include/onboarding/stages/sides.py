"""The two sides of a database workload: where it comes from, where it goes, and the service's own login on either."""

from __future__ import annotations

from onboarding import targets
from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.stages.pilot import Pilot

MAINTENANCE = "postgres"
"""The database every PostgreSQL server has; the instance's master logs in here to make others."""

SWITCHED = frozenset({CutoverState.SWITCHED, CutoverState.COMMITTED, CutoverState.CLOSED})
"""From here on the target serves the public: no load, no copy, no drop may touch it."""


def has_switched(pilot: Pilot) -> bool:
    return pilot.ledger.cutover_state(pilot.id) in SWITCHED


def source(pilot: Pilot, workload: str) -> Database:
    """The agency's database, with the owner's login."""
    return pilot.sources[workload]


def source_service(pilot: Pilot, workload: str) -> Database:
    """The agency's database, with the service's own login."""
    login = pilot.services[workload]
    return pilot.sources[workload].as_user(login.user, login.password)


def admin(pilot: Pilot, workload: str) -> Database:
    """The master's login to the RDS instance, in its maintenance database."""
    return _on_instance(pilot, targets.instance_id(pilot.manifest, workload), workload, MAINTENANCE)


def target(pilot: Pilot, workload: str) -> Database:
    """The moved database, with the instance's master login."""
    return _on_instance(pilot, targets.instance_id(pilot.manifest, workload), workload, source(pilot, workload).name)


def target_is_gone(pilot: Pilot, workload: str) -> bool:
    """Whether there is no such instance any more, nor what was on it."""
    return targets.instance(pilot.cloud.client("rds"), targets.instance_id(pilot.manifest, workload)) is None


def target_service(pilot: Pilot, workload: str) -> Database:
    """The moved database, with the service's own login."""
    login = pilot.services[workload]
    return target(pilot, workload).as_user(login.user, login.password)


def drilled(pilot: Pilot, workload: str, instance: str) -> Database:
    """The database as restored from its backup, with the master login."""
    return _on_instance(pilot, instance, workload, source(pilot, workload).name)


def _on_instance(pilot: Pilot, instance: str, workload: str, name: str) -> Database:
    host, port = targets.instance_address(pilot.cloud.client("rds"), instance)
    password = targets.master_password(pilot.cloud.client("secretsmanager"), pilot.manifest, workload)
    return Database(host, port, name, targets.MASTER, password, pilot.resolve)
