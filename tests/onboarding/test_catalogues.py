"""What people read exists in Thai and in English, with the same fields in both."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

import pytest
import yaml

from onboarding.messages import LOCALES

ROOMS = sorted(path.stem for language in ("en", "th") for path in (LOCALES / language).glob("*.yaml"))


def entries(node: object, path: str) -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(node, dict):
        for name, item in node.items():
            yield from entries(item, f"{path}.{name}")
    else:
        yield path, frozenset(field for _, field, _, _ in Formatter().parse(str(node)) if field)


@pytest.mark.parametrize("room", sorted(set(ROOMS)))
def test_both_languages_say_the_same_things(room):
    said = {
        language: dict(entries(yaml.safe_load((LOCALES / language / f"{room}.yaml").read_text(encoding="utf-8")), room))
        for language in ("en", "th")
    }
    assert said["en"].keys() == said["th"].keys()
    assert {key: said["en"][key] ^ said["th"][key] for key in said["en"] if said["en"][key] != said["th"][key]} == {}


@pytest.mark.parametrize("room", sorted(set(ROOMS)))
def test_what_goes_wrong_comes_with_a_remedy(room):
    told = set(dict(entries(yaml.safe_load((LOCALES / "en" / f"{room}.yaml").read_text(encoding="utf-8")), room)))
    troubles = {key.removesuffix(".what") for key in told if key.endswith(".what")}
    assert {key for key in troubles if f"{key}.remedy" not in told} == set()
