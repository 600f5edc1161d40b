"""Every trouble with its remedy, in Thai and English, for docs/messages.md: the catalogue as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from onboarding.messages import LOCALES

PARTS = {"what", "remedy"}

HEAD = """\
# ข้อขัดข้องและวิธีแก้ · Troubles and remedies

<!-- Made from include/locales by `./namrong docs`. A test compares the two: do not edit. -->

ทุกข้อความที่งานหรือด่านแสดงเมื่อไม่ผ่าน คำในวงเล็บปีกกา เช่น `{where}` คือค่าที่ระบบเติมให้ วิธีทำงานอยู่ใน
[คู่มือปฏิบัติการ](operations.md)

Every message that a task or gate shows when it does not pass. Words in braces are filled in. How to act:
[operations](operations.md). `readiness` entries are findings: their name is what a waiver names.
"""


def page() -> str:
    """A section per room of the catalogue that has troubles, in order of name."""
    rooms = sorted(path.stem for path in (LOCALES / "en").glob("*.yaml"))
    return "\n".join([HEAD, *(line for room in rooms for line in _room(room))])


def _room(room: str) -> Iterator[str]:
    th, en = (_troubles(language, room) for language in ("th", "en"))
    if en:
        yield f"## {room}\n"
    for name, told in en.items():
        yield f"**`{room}.{name}`**\n"
        for words in (th[name], told):
            yield f"- {words['what']}\n  → {words['remedy']}"
        yield ""


def _troubles(language: str, room: str) -> Mapping[str, Mapping[str, str]]:
    entries: dict[str, Any] = yaml.safe_load((LOCALES / language / f"{room}.yaml").read_text(encoding="utf-8"))
    return {name: entry for name, entry in entries.items() if isinstance(entry, dict) and entry.keys() >= PARTS}
