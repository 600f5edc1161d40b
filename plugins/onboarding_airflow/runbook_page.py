"""The page of one pilot's runbook: each step with its owner, when it is a success, planned against what it took."""

from __future__ import annotations

import html

from onboarding.cutover.runbook import PHASES, Phase, Row, Table
from onboarding.messages import Language, text
from onboarding.spoken_times import spoken
from onboarding.stages.reading import step_told
from onboarding_airflow.gate_page import STYLE

COLUMNS = ("step", "owner", "success", "rehearsed", "planned", "actual")
MORE_STYLE = (
    "h2{font-size:1.15rem;margin:1.5rem 0 .25rem}td.s,th.s{text-align:end;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}tfoot td,tfoot th{font-weight:600}.seen{opacity:.75;font-size:.9em}"
    "p.quiet{margin:.25rem 0;max-width:52rem}"
)


def runbook_path(pilot_id: str) -> str:
    """Where a pilot's runbook is read, below the address of the Airflow UI."""
    return f"/namrong/runbooks/{pilot_id}"


def runbook_page(pilot_id: str, name: str, told: Table | None, language: Language, *, sandbox: bool) -> str:
    """HTML that loads nothing from anywhere; `told` is None before the first rehearsal."""
    other: Language = "en" if language == "th" else "th"
    stamp = f'<span class="sandbox">{_page("sandbox", language)}</span>' if sandbox else ""
    body = f"<p>{_say('nothing_yet', language)}</p>" if told is None else _told(told, language)
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{pilot_id} · {_say("title", language)}</title><script src="../static/theme.js"></script>
<style>{STYLE}{MORE_STYLE}</style><script src="../static/frame.js" defer></script></head><body>
<nav>{stamp}<a href="../programme?lang={language}">{_page("programme", language)}</a>
<a class="airflow" href="../../dags/onboard_{pilot_id}">{_page("journey", language)}</a>
<a href="?lang={other}" hreflang="{other}" lang="{other}">{_page("other_language", language)}</a></nav>
<main><h1>{pilot_id} · {html.escape(name)}</h1><p class="question">{_say("title", language)}</p>
{body}</main></body></html>"""


def _told(told: Table, language: Language) -> str:
    at = html.escape(text("runbook.rehearsed_at", language, at=spoken(told.at, language)))
    explained = f'<p class="quiet">{at}</p><p class="quiet">{_say("explained", language)}</p>'
    return explained + "".join(_phase(told, phase, language) for phase in PHASES)


def _phase(told: Table, phase: Phase, language: Language) -> str:
    rows = [row for row in told.rows if row.step.phase == phase]
    names = (f'<th scope="col"{_class(name)}>{_say(f"columns.{name}", language)}</th>' for name in COLUMNS)
    total = told.totals[phase]
    foot = ""
    if phase != "before":
        handed = "" if total.handed_over_s is None else (
            f'<tr><th scope="row" colspan="5">{_say("handed_over", language)}</th>'
            f'<td class="s">{_seconds(total.handed_over_s, language)}</td></tr>'
        )  # fmt: skip
        foot = (
            f'<tfoot>{handed}<tr data-total="{phase}"><th scope="row" colspan="4">{_say("whole", language)}</th>'
            f'<td class="s" data-name="{_say("columns.planned", language)}">{_seconds(total.planned_s, language)}</td>'
            f'<td class="s" data-name="{_say("columns.actual", language)}">'
            f"{_seconds(total.actual_s, language)}</td></tr></tfoot>"
        )
    return (
        f"<h2>{_say(f'phases.{phase}', language)}</h2><table><thead><tr>{''.join(names)}</tr></thead>"
        f"<tbody>{''.join(_row(row, language) for row in rows)}</tbody>{foot}</table>"
    )


def _row(row: Row, language: Language) -> str:
    told = step_told(row, language)
    planned, actual = _say("columns.planned", language), _say("columns.actual", language)
    late = f' <b class="fail">{_say("late", language)}</b>' if row.late else ""
    seen = f'<div class="seen">{html.escape(told.seen)}</div>' if told.seen else ""
    return (
        f'<tr data-step="{row.step.name}"><th scope="row">{html.escape(told.name)}</th>'
        f'<td data-name="{_say("columns.owner", language)}">{html.escape(told.owner)}</td>'
        f"<td>{html.escape(told.success)}{seen}</td>"
        f'<td class="s" data-name="{_say("columns.rehearsed", language)}">{_seconds(row.rehearsed_s, language)}</td>'
        f'<td class="s" data-name="{planned}">{_seconds(row.planned_s, language)}</td>'
        f'<td class="s" data-name="{actual}">{_seconds(row.actual_s, language)}{late}</td></tr>'
    )


def _class(name: str) -> str:
    return ' class="s"' if name in ("rehearsed", "planned", "actual") else ""


def _seconds(value: float | None, language: Language) -> str:
    return "–" if value is None else html.escape(text("runbook.seconds", language, n=f"{value:,.1f}"))


def _say(name: str, language: Language) -> str:
    return html.escape(text(f"runbook.{name}", language))


def _page(name: str, language: Language) -> str:
    return html.escape(text(f"pages.{name}", language))
