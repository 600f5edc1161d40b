"""What people read exists in Thai and in English, with the same fields in both."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
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


ROOT = Path(__file__).parents[2]
CODE = ("include/onboarding", "include/launcher", "plugins", "dags")
KEY = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")
HOLE = "\0"
HOLED = re.compile(rf"[a-z_0-9.{HOLE}]*[a-z_.]{{4}}[a-z_0-9.{HOLE}]*")
# Look like keys and are names of checks and steps, shown as they are.
NO_KEYS = frozenset({"cutover.approve_cutover_2", "cutover.window", "cutover.shift_traffic", "programme.chosen"})
# Filled with words that are not ours (Airflow's states) or no words (months), so that no literal of ours has them.
OTHERS_WORDS = ("launcher.task_states.", "programme.months.")


def literals() -> tuple[set[str], dict[str, re.Pattern[str]]]:
    """Every text in code, SQL and templates; and every f-string that may be (a part of) a key, as a pattern."""
    texts: set[str] = set()
    holed: set[str] = set()
    for path in (path for room in CODE for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        fragments = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in fragments:
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                holed.add("".join(part.value if isinstance(part, ast.Constant) else HOLE for part in node.values))
    for path in (ROOT / "include" / "sql").rglob("*.sql"):
        texts.update(re.findall(r"'([a-z_0-9]+)'", path.read_text(encoding="utf-8")))
    for path in (path for room in CODE for path in (ROOT / room).rglob("*.html")):
        template = path.read_text(encoding="utf-8")
        texts.update(re.findall(r'"([a-z_0-9.]+)"', template))
        holed.update(stem + HOLE for stem in re.findall(r'"([a-z_0-9.]+\.)" ~', template))
    forms = (form for form in holed if HOLE in form and HOLED.fullmatch(form))
    return texts, {form: re.compile(re.escape(form).replace(HOLE, "([a-z_0-9.]+)")) for form in forms}


def catalogue() -> set[str]:
    return {
        key
        for room in set(ROOMS)
        for key, _ in entries(yaml.safe_load((LOCALES / "en" / f"{room}.yaml").read_text(encoding="utf-8")), room)
    }


def is_spelt(name: str, texts: set[str], forms: dict[str, re.Pattern[str]]) -> bool:
    """Whether the code has this text, or a form of it whose holes are filled with texts of the code."""
    matches = (form.fullmatch(name) for form in forms.values())
    return name in texts or any(
        match and all(is_spelt(word, texts, forms) for word in match.groups()) for match in matches
    )


def is_asked_for(key: str, texts: set[str], forms: dict[str, re.Pattern[str]]) -> bool:
    """Whether the entry, or the entry that it is a part of, is named in the code."""
    steps = key.split(".")
    names = (".".join(steps[:length]) for length in range(2, len(steps) + 1))
    return key.startswith(OTHERS_WORDS) or any(is_spelt(name, texts, forms) for name in names)


def test_no_entry_is_there_for_nobody():
    texts, forms = literals()
    assert sorted(key for key in catalogue() if not is_asked_for(key, texts, forms)) == []


def test_no_entry_is_asked_for_that_is_not_there():
    texts, forms = literals()
    known = {".".join(key.split(".")[:length]) for key in catalogue() for length in range(1, key.count(".") + 2)}
    asked = {text for text in texts if KEY.fullmatch(text) and text.partition(".")[0] in set(ROOMS)} - NO_KEYS
    # `launcher.supervisor` is a module, `ledger.sql` a file, `programme.json` an address.
    endings = {"sql", "yaml", "html", "css", "js", "svg", "json"}
    files = {path.stem for path in (ROOT / "include" / "launcher").glob("*.py")} | endings
    assert sorted(key for key in asked - known if key.rpartition(".")[2] not in files) == []
    of_a_room = {form: pattern for form, pattern in forms.items() if form.partition(".")[0] in set(ROOMS)}
    assert of_a_room
    assert sorted(f for f, pattern in of_a_room.items() if not any(map(pattern.fullmatch, known))) == []
