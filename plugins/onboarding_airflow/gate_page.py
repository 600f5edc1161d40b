"""The page of one gate: what it saw last, check by check, for people who are no engineers."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from onboarding.messages import Language, text
from onboarding.observations import Answer, Observation
from onboarding.stages.reading import checks_told, verdict_of

REFRESH_S = 5
LANGUAGES: tuple[Language, ...] = ("th", "en")
SIGN = {Answer.PASS: "✔", Answer.FAIL: "✘", Answer.UNKNOWN: "…"}
COLUMNS = ("check", "observed", "expected", "at")
STYLE = """
:root{color-scheme:light dark;--line:#8883;--soft:#8881;--pass:#14773a;--fail:#b3261e;--unknown:#8a5a00;
font:16px/1.6 system-ui,"Noto Sans Thai","Sarabun","Loma",sans-serif}
@media(prefers-color-scheme:dark){:root:not([data-theme]){--pass:#57d98d;--fail:#ff8a80;--unknown:#ffc862}}
:root[data-theme=light]{color-scheme:light}
:root[data-theme=dark]{color-scheme:dark;--pass:#57d98d;--fail:#ff8a80;--unknown:#ffc862}
body{max-width:68rem;margin:1.5rem auto;padding:0 1rem;background:Canvas;color:CanvasText}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center}
.sandbox{background:#ffb30033;border:1px solid #ffb30088;padding:.1rem .7rem;border-radius:1rem;margin-inline-end:auto}
h1{font-size:1.5rem;line-height:1.35;margin:1.25rem 0 .25rem}
.question{margin:0;font-size:1.1rem}
.verdict{font-weight:600;border-inline-start:.3rem solid;padding:.4rem .9rem;margin:1rem 0;background:var(--soft)}
.pass{color:var(--pass)}.fail{color:var(--fail)}.unknown{color:var(--unknown)}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.45rem .6rem;text-align:start;vertical-align:top}
th{font-weight:600;white-space:nowrap}td.at{white-space:nowrap}
.sign{display:inline-block;width:1.4em}
code{font-size:.92em;overflow-wrap:anywhere}
.todo{margin:.2rem 0 0 1.4em}
@media(max-width:44rem){thead{display:none}td{display:block;border:0;padding:.1rem 0}
tr{display:block;border-bottom:1px solid var(--line);padding:.5rem 0}td[data-name]::before{content:attr(data-name)": "}}
"""


def headed(report: bytes, path: str, *, sandbox: bool) -> bytes:
    """The same HTML with a way back to the programme view and, on the sandbox, its stamp, in both languages."""
    up = "../" * (path.count("/") + 2)
    back = f'<a href="{up}programme">{" · ".join(_say("programme", language) for language in LANGUAGES)}</a>'
    told = " · ".join([back, *(_say("sandbox", language) for language in LANGUAGES if sandbox)])
    head = f'<p style="background:#ffb30033;border:1px solid #ffb30088;padding:.3rem .8rem">{told}</p>'
    return re.sub(rb"<body[^>]*>", rb"\g<0>" + head.encode(), report, count=1)


def gate_page(
    pilot_id: str, name: str, gate: str, seen: Sequence[Observation], language: Language, *, sandbox: bool
) -> str:
    """HTML that loads nothing from anywhere and asks again by itself every five seconds."""
    other: Language = "en" if language == "th" else "th"
    stamp = f'<span class="sandbox">{_say("sandbox", language)}</span>' if sandbox else ""
    title = f"{pilot_id} · {_say('gate', language)} {html.escape(gate)}"
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="refresh" content="{REFRESH_S}"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><script src="../../static/theme.js"></script><style>{STYLE}</style>
<script src="../../static/frame.js" defer></script></head><body>
<nav>{stamp}<a href="../../programme?lang={language}">{_say("programme", language)}</a>
<a class="airflow" href="../../../dags/onboard_{pilot_id}">{_say("journey", language)}</a>
<a href="?lang={other}" hreflang="{other}" lang="{other}">{_say("other_language", language)}</a></nav>
<main><h1>{pilot_id} · {html.escape(name)}</h1>
<p class="question">{_say("gate", language)} <code>{html.escape(gate)}</code>: {_say(f"questions.{gate}", language)}</p>
{_looked(seen, language) if seen else f"<p>{_say('nothing_yet', language)}</p>"}</main></body></html>"""


def _looked(seen: Sequence[Observation], language: Language) -> str:
    answer = verdict_of(seen)
    head = "".join(f'<th scope="col">{_say(name, language)}</th>' for name in COLUMNS)
    rows = "".join(_row(one, language) for one in seen)
    verdict = html.escape(text(f"gates.verdict.{answer}", language))
    return (
        f'<p class="verdict {answer}" role="status">{SIGN[answer]} {verdict}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(seen: Observation, language: Language) -> str:
    told = checks_told(seen, language)
    answer = _say(f"answers.{seen.answer}", language)
    todo = "".join(f'<div class="todo">{html.escape(line)}</div>' for line in told.reasons)
    observed, expected = (
        f'<td data-name="{_say(name, language)}"><code>{html.escape(value)}</code></td>'
        for name, value in (("observed", told.observed), ("expected", told.expected))
    )
    return (
        f'<tr><td><span class="sign {seen.answer}" role="img" aria-label="{answer}">{SIGN[seen.answer]}</span>'
        f'{html.escape(seen.check)}{todo}</td>{observed}{expected}<td class="at">{told.at}</td></tr>'
    )


def _say(name: str, language: Language) -> str:
    return html.escape(text(f"pages.{name}", language))
