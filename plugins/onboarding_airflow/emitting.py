"""The programme's measures into Airflow's own metrics pipe: StatsD, Datadog or OpenTelemetry, as `[metrics]` says."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any, Protocol

from airflow.sdk.configuration import conf

from onboarding.evidence_kinds import Counted
from onboarding.programme import metrics
from onboarding.programme.goal import load_goal
from onboarding.programme.metrics import Measures
from onboarding_airflow.pilots import loaded

log = logging.getLogger(__name__)

EVERY_S = 15.0
"""How old a gauge may become between events."""


class Stats(Protocol):
    """Airflow's module of that name; its servers and its tasks each have their own copy."""

    def gauge(self, stat: str, value: float, *, tags: dict[str, Any] | None = None) -> None: ...
    def timing(self, stat: str, dt: Any, *, tags: dict[str, Any] | None = None) -> None: ...


def emit(measures: Measures, stats: Stats) -> None:
    """The gauges `pilots.live`, `.goal`, `.blocked` and, with the tag `stage`, `.in_stage`.

    Plain StatsD knows no tags: there the stage ends the name (`pilots.in_stage.cutover`), or the last would win.
    """
    stats.gauge("pilots.live", measures.live)
    stats.gauge("pilots.goal", measures.goal)
    stats.gauge("pilots.blocked", measures.blocked)
    for stage, pilots in measures.in_stage.items():
        if takes_tags():
            stats.gauge("pilots.in_stage", pilots, tags={"stage": stage})
        else:
            stats.gauge(f"pilots.in_stage.{stage}", pilots)


def emit_lead_time(counted: Counted, stats: Stats) -> None:
    """The timer `pilot.lead_time` of a pilot that just went live: from the first stage it entered."""
    if counted.lead_time_s is not None:
        stats.timing("pilot.lead_time", timedelta(seconds=counted.lead_time_s), tags={"pilot": counted.pilot})


def takes_tags() -> bool:
    """Whether the pipe carries tags: all but plain StatsD do."""
    if conf.getboolean("metrics", "statsd_datadog_enabled"):
        return True
    return not conf.getboolean("metrics", "statsd_on") or conf.getboolean("metrics", "statsd_influxdb_enabled")


def is_on() -> bool:
    """Whether anybody listens."""
    return any(conf.getboolean("metrics", option) for option in ("statsd_on", "statsd_datadog_enabled", "otel_on"))


def keep_emitting(every_s: float = EVERY_S) -> threading.Thread | None:
    """Emits from a thread of this process until it ends, first after `every_s`; None where metrics are off."""
    if not is_on():
        return None
    thread = threading.Thread(target=_for_ever, args=(every_s,), name="programme-metrics", daemon=True)
    thread.start()
    return thread


def _for_ever(every_s: float) -> None:
    while True:
        time.sleep(every_s)
        try:
            emit_now()
        except Exception as failure:  # a ledger that restarts: the next time tells
            log.warning("the programme's metrics were not emitted: %s", failure)


def emit_now() -> None:
    """What holds now, from one of Airflow's servers."""
    from airflow.observability import stats

    emit(measured(), stats)


def measured() -> Measures:
    """What holds now, where Airflow's own database is at hand."""
    from onboarding_airflow.server_side import ledger

    manifests = loaded().manifests
    return metrics.measure(manifests.values(), metrics.read(ledger(), manifests), load_goal().live)
