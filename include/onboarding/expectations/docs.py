"""The pages people read: one of ours that sets source and target side by side, and Great Expectations' own behind it.

Its pages fetch scripts and styles from six hosts on the Internet. A page about a ministry's data must not: all scripts
and links to elsewhere are taken out, a small style sheet is put in, and the pages stay readable without either.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from onboarding.expectations.verdicts import Outcome, SideAnswer
from onboarding.messages import both

SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
ELSEWHERE = re.compile(r"<(?:link|img|a)\b[^>]*(?:href|src)\s*=\s*[\"'](?:https?:)?//[^>]*>", re.IGNORECASE)
Pages = tuple[str, str]

STYLE = """<style>
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;margin:.7rem 0;width:100%}
th,td{border:1px solid #d0d7de;padding:.35rem .6rem;text-align:left}
th{background:#f6f8fa}.held,.mended{color:#1a7f37}
.broken{color:#cf222e;font-weight:600}.already_so,.unknown{color:#9a6700}
.collapse{display:block}.show-scrollbars{overflow:auto}.btn,.fa,.navbar-brand img,footer{display:none}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th{background:#161b22}th,td{border-color:#30363d}}
</style>"""


def finish(folder: Path, outcomes: Sequence[Outcome], pages: Sequence[Pages], source: str, target: str) -> None:
    """Great Expectations' pages made safe to serve, and our index in the place of its own.

    `pages` names, for each outcome, the page about the source and the page about the target.
    """
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(_safe(text), encoding="utf-8")
    for static in (folder / "static").iterdir() if (folder / "static").is_dir() else ():
        if static.name != "styles":
            shutil.rmtree(static)
    (folder / "index.html").write_text(_index(outcomes, pages, source, target), encoding="utf-8")


def _safe(page: str) -> str:
    without = ELSEWHERE.sub("", SCRIPT.sub("", page))
    return without.replace("</head>", f"{STYLE}</head>", 1)


def _index(outcomes: Sequence[Outcome], pages: Sequence[Pages], source: str, target: str) -> str:
    rows = "".join(_row(outcome, both) for outcome, both in zip(outcomes, pages, strict=True))
    columns = ("expectation", "source", "target", "verdict")
    heads = "".join(f"<th>{_said(f'expectations.page.{name}')}</th>" for name in columns)
    title = _said("expectations.page.title")
    return (
        f"<!doctype html><html lang=th><head><meta charset=utf-8><title>{title}</title>{STYLE}</head>"
        f"<body><h1>{title}</h1><p>{html.escape(source)} → {html.escape(target)}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )


def _row(outcome: Outcome, pages: Pages) -> str:
    cells = [html.escape(outcome.title)]
    for page, answer in zip(pages, (outcome.source, outcome.target), strict=True):
        said = _answer(answer)
        cells.append(f'<a href="{html.escape(quote(page))}">{said}</a>' if page else said)
    cells.append(f'<span class="{outcome.verdict}">{_said(f"expectations.verdict.{outcome.verdict}")}</span>')
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _answer(answer: SideAnswer) -> str:
    if answer.met is None:
        return f"? {html.escape(answer.problem)}"
    count = f" ({answer.unexpected:,} / {answer.of:,})" if answer.unexpected is not None and answer.of else ""
    return ("✓" if answer.met else "✗") + count


def _said(key: str) -> str:
    words = both(key)
    return html.escape(f"{words['th']} · {words['en']}")
