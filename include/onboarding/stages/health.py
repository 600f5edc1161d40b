"""Whether the service answers: its own question, asked with its own login, and its own page, if it has one."""

from __future__ import annotations

import psycopg

from onboarding import health_page
from onboarding.addresses import Database
from onboarding.errors import Stop
from onboarding.observations import Observation, judged
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot

HEALTH_QUERY = "SELECT count(*) FROM pg_catalog.pg_class"
PROBE_TIMEOUT_MS = 10_000


def probe(pilot: Pilot, address: str) -> None:
    """One question to the service as it is at one address. Raises Stop, or TryAgain when nobody answers there."""
    _ask_database(pilot, address)
    _ask_page(pilot, address)


def _ask_database(pilot: Pilot, address: str) -> None:
    """The service's first golden query, with the service's own login."""
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


def _ask_page(pilot: Pilot, address: str) -> None:
    """The manifest's page, if there is one: at this address, when the name that leads there is its host."""
    moves = pilot.manifest.cutover.traffic
    if moves.health_url is not None:
        host = health_page.host_of(moves.health_url)
        led = host in (moves.record, moves.reads)
        health_page.ask(moves.health_url, address if led else pilot.resolve(host))


def observe(pilot: Pilot) -> Observation:
    """Whether the service answers by its name. Raises Stop when it does not."""
    record = pilot.manifest.cutover.traffic.record
    address = pilot.resolve(record)
    probe(pilot, address)
    return judged("health", f"{record} answers", f"{record} answers", pilot.clock())
