"""The programme's measures as text for Prometheus to read: exposition format 0.0.4.

Source: prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onboarding.programme.metrics import Measures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


def exposition(measures: Measures) -> str:
    """One family after the other, each with HELP and TYPE, every line ended."""
    return "".join(f"{line}\n" for line in _lines(measures))


def _lines(measures: Measures) -> Iterator[str]:
    yield from _gauge("pilots_live", "Pilots that are live.", [({}, measures.live)])
    yield from _gauge("pilots_goal", "Pilots that shall be live.", [({}, measures.goal)])
    yield from _gauge("pilots_blocked", "Pilots that stand until a person mends something.", [({}, measures.blocked)])
    stages: list[Sample] = [({"stage": stage}, pilots) for stage, pilots in measures.in_stage.items()]
    yield from _gauge("pilots_in_stage", "Pilots by the stage they are in; each is in exactly one.", stages)
    times: list[Sample] = [({"pilot": pilot}, seconds) for pilot, seconds in sorted(measures.lead_times.items())]
    yield from _gauge("pilots_lead_time_seconds", "From a live pilot's first stage to live.", times)


def _gauge(name: str, told: str, samples: list[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {_escaped(told)}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_quoted(text)}"' for label, text in labels.items())
        yield f"{name}{f'{{{inside}}}' if inside else ''} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
