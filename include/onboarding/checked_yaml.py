"""Reading YAML that people wrote: a good file becomes its model, a bad one says file, line, field, found, expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from onboarding.messages import Language, text

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 20_000
FIRST_BUDDHIST_YEAR = 2400
"""A year from here on is a Buddhist-Era one: B.E. 2400 is C.E. 1857, C.E. 2400 is beyond any plan."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file; `line` counts from 1, 0 when there is none."""

    file: str
    line: int
    field: str
    found: str
    key: str
    expected: str = ""

    def render(self, language: Language) -> str:
        place = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        what = text(f"manifests.{self.key}", language, expected=self.expected, found=self.found)
        found = text("manifests.found", language, found=self.found) if self.found else ""
        return " · ".join(part for part in (place, self.field, what, found) if part)


class BadFile(Exception):
    """All the problems of one file, in both languages."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(p.render("en") + "\n" + p.render("th") for p in self.problems))


def load(path: Path, model: type[Model]) -> Model:
    """What one file says, at the price of reading at most 256 KiB. Raises BadFile."""
    name = path.name
    if path.is_symlink() or not path.is_file():
        raise BadFile([Problem(name, 0, "", "", "not_a_file")])
    with path.open("rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise BadFile([Problem(name, 0, "", f"> {MAX_BYTES} B", "too_large", str(MAX_BYTES))])
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = raw[: failure.start].count(b"\n") + 1
        raise BadFile([Problem(name, line, "", f"0x{raw[failure.start]:02x}", "not_utf8")]) from failure
    return parse(source, name, model)


def parse(source: str, name: str, model: type[Model]) -> Model:
    """What a text says; `name` is what problems call it. Raises BadFile."""
    root = _compose(source, name)
    problems = list(_shape_problems(root, name))
    if problems:
        raise BadFile(problems)
    try:
        return model.model_validate(_Builder().construct_document(root))
    except ValidationError as failure:
        raise BadFile(_explain(error, root, name) for error in failure.errors()) from failure


class _Builder(yaml.constructor.SafeConstructor):
    """SafeConstructor over an already composed tree."""


def _compose(source: str, name: str) -> yaml.MappingNode:
    """The node tree, refused before it is built when it holds an alias, a tag, or too much of anything."""
    try:
        depth = 0
        for nodes, event in enumerate(yaml.parse(source, Loader=yaml.CSafeLoader)):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent):
                raise BadFile([Problem(name, line, "", f"*{event.anchor}", "alias")])
            if (tag := getattr(event, "tag", None)) is not None:
                raise BadFile([Problem(name, line, "", str(tag), "tag")])
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH or nodes > MAX_NODES:
                raise BadFile([Problem(name, line, "", "", "too_deep", str(MAX_DEPTH))])
        root = yaml.compose(source, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        found = str(getattr(failure, "problem", None) or failure)
        raise BadFile([Problem(name, mark.line + 1 if mark else 0, "", found, "not_yaml")]) from failure
    if not isinstance(root, yaml.MappingNode):
        raise BadFile([Problem(name, 1, "", "", "not_a_mapping")])
    return root


def _shape_problems(node: yaml.Node, name: str, path: str = "") -> Iterator[Problem]:
    """Duplicate keys and Buddhist-Era dates, which YAML itself lets through."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            field = f"{path}.{key.value}" if path else str(key.value)
            if not isinstance(key, yaml.ScalarNode):
                yield Problem(name, key.start_mark.line + 1, path, "", "not_a_key")
                continue
            if key.value in seen:
                yield Problem(name, key.start_mark.line + 1, field, str(key.value), "duplicate_key")
            seen.add(key.value)
            yield from _shape_problems(value, name, field)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _shape_problems(value, name, f"{path}.{index}")
    elif isinstance(node, yaml.ScalarNode):
        found = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?", node.value, re.ASCII)
        if found and int(found[1]) >= FIRST_BUDDHIST_YEAR:
            gregorian = f"{int(found[1]) - 543}-{found[2]}-{found[3]}"
            yield Problem(name, node.start_mark.line + 1, path, node.value, "buddhist_era", gregorian)
        elif found and not _is_date(int(found[1]), int(found[2]), int(found[3])):
            yield Problem(name, node.start_mark.line + 1, path, node.value, "no_such_day")


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _explain(error: ErrorDetails, root: yaml.MappingNode, name: str) -> Problem:
    where = [part for part in error["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    field = ".".join(str(part) for part in where)
    key = {"extra_forbidden": "unknown_field", "missing": "missing_field"}.get(error["type"], "bad_value")
    found = "" if key == "missing_field" else _shown(error["input"])
    return Problem(name, _line_of(root, where), field, found, key, _expected(error))


def _expected(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")


def _shown(value: Any) -> str:
    """A found value, short and on one line: a manifest may hold anything, a log line must not."""
    shown = repr(value) if isinstance(value, str) else str(value)
    shown = "".join(c if c.isprintable() else "�" for c in shown)
    return shown if len(shown) <= 80 else shown[:77] + "…"


def _line_of(root: yaml.Node, where: list[Any]) -> int:
    """The line of the deepest part of `where` that is in the file."""
    node, line = root, root.start_mark.line + 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    node, line = value, key.start_mark.line + 1
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
