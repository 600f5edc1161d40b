"""What people read, in Thai and English, from the catalogue under `include/locales`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["th", "en"]

LOCALES = Path(__file__).resolve().parent.parent / "locales"


class UnknownMessage(KeyError):
    """No entry of that name in the catalogue: a fault of ours, never of the reader."""


@cache
def _room(language: Language, room: str) -> Mapping[str, object]:
    path = LOCALES / language / f"{room}.yaml"
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return entries or {}


def text(key: str, language: Language, **values: object) -> str:
    """The entry `room.name` in one language, its `{fields}` filled in.

    `accounts.quota_full.remedy` lies in `locales/<language>/accounts.yaml` under `quota_full: {remedy: …}`.
    """
    return _entry(key, language).format_map(values)


@cache
def _entry(key: str, language: Language) -> str:
    room, *path = key.split(".")
    node: object = _room(language, room)
    for step in path:
        if not isinstance(node, Mapping) or step not in node:
            raise UnknownMessage(f"{language}: {key}")
        node = node[step]
    if not isinstance(node, str):
        raise UnknownMessage(f"{language}: {key}")
    return node


def both(key: str, **values: object) -> dict[Language, str]:
    """The entry in both languages, Thai first."""
    return {"th": text(key, "th", **values), "en": text(key, "en", **values)}
