"""Whether the service answers: its own question, asked with its own login, at one address or by its name."""

from __future__ import annotations

import psycopg

from onboarding.addresses import Database
from onboarding.errors import Stop
from onboarding.observations import Observation, judged
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot

HEALTH_QUERY = "SELECT count(*) FROM pg_catalog.pg_class"
PROBE_TIMEOUT_MS = 10_000


def probe(pilot: Pilot, address: str) -> None:
    """The service's first golden query, asked at one address with the service's own login. Raises Stop."""
    workload = pilot.manifest.databases[0]
    queries = [golden.sql for golden in workload.golden] or [HEALTH_QUERY]
    at: Database = sides.source_service(pilot, workload.name).at(address)
    try:
        with at.connect() as connection:
            connection.execute(f"SET statement_timeout = {PROBE_TIMEOUT_MS}")
            connection.execute("SET default_transaction_read_only = on")
            if connection.execute(queries[0].encode()).fetchone() is None:
                raise Stop("traffic.bad_answer", where=workload.name, address=address, reason="no rows")
    except psycopg.Error as failure:
        raise Stop("traffic.bad_answer", where=workload.name, address=address, reason=str(failure)) from failure


def observe(pilot: Pilot) -> Observation:
    """Whether the service answers by its name. Raises Stop when it does not."""
    record = pilot.manifest.cutover.traffic.record
    address = pilot.resolve(record)
    probe(pilot, address)
    return judged("health", f"{record} answers", f"{record} answers", pilot.clock())
