"""The manifest's reference, made from its model: docs/manifest.md for people, docs/manifest.schema.json for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from onboarding.checked_yaml import FIRST_BUDDHIST_YEAR, MAX_BYTES, MAX_DEPTH, MAX_NODES
from onboarding.manifest import Manifest

Node = Mapping[str, Any]

HEAD = """\
# The manifest · แฟ้มโครงการนำร่อง

<!-- Made from include/onboarding/manifest.py by `./namrong docs`. A test compares the two: do not edit. -->

หนึ่งแฟ้ม YAML ใน `include/pilots/` คือหนึ่งโครงการนำร่อง ตรวจด้วย `./namrong check แฟ้ม.yaml` ซึ่งบอกแฟ้ม บรรทัด ช่องข้อมูล
สิ่งที่พบ และสิ่งที่ควรเป็น วันที่ใช้ปี ค.ศ. เวลาของช่วงสลับระบบเป็นเวลาประเทศไทย

One YAML file in `include/pilots/` is one pilot. `./namrong check FILE.yaml` says what is wrong with it: file, line,
field, found, expected. A first line

    # yaml-language-server: $schema=../../docs/manifest.schema.json

lets an editor complete and check fields. The samples in `include/pilots/` are whole manifests.

## Rules for the file

- UTF-8, at most {bytes:,} bytes, {depth} levels deep, {nodes:,} YAML events. No alias, no tag, no key twice, no
  symbolic link.
- An unknown field is an error. Names that go to AWS or Airflow are ASCII: Thai digits are refused.
- Dates are Gregorian (`2026-10-05`); a year from {year} on is refused as one of the Buddhist Era.
- Durations are ISO 8601: `PT30M`, `PT8H`, `P3D`.

## Rules between fields

- At least one workload; no two with the same name.
- `record` lies in `zone`; `ramp` rises from 0 to 100.
- What follows from the data classification is the policy's to say, at the gate `intake`, not the manifest's.
"""


def schema(model: type[BaseModel] = Manifest) -> str:
    """The JSON Schema (draft 2020-12). It knows single fields, not the rules between them."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(by_alias=True),
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """The reference for people: a table per part, parts in the order in which a manifest names them."""
    head = HEAD.format(bytes=MAX_BYTES, depth=MAX_DEPTH, nodes=MAX_NODES, year=FIRST_BUDDHIST_YEAR)
    return "\n".join([head, *_sections(_model())])


def _model() -> dict[str, Any]:
    return Manifest.model_json_schema(by_alias=True)


def _sections(model: Node) -> Iterator[str]:
    yield from _section("Manifest", model)
    for name in _in_order(model, model["$defs"]):
        yield from _section(name, model["$defs"][name])


def _in_order(part: Node, parts: Mapping[str, Node], seen: frozenset[str] = frozenset()) -> list[str]:
    """Names of the parts below `part`, each once, as they are met when a manifest is read from the top."""
    names: list[str] = []
    for name in dict.fromkeys(name for field in part["properties"].values() for name in _named(field)):
        if name not in seen.union(names):
            names += [name, *_in_order(parts[name], parts, seen.union(names, [name]))]
    return names


def _named(field: Node) -> Iterator[str]:
    if "$ref" in field:
        yield str(field["$ref"]).rpartition("/")[2]
    for inner in (*field.get("anyOf", ()), *([field["items"]] if "items" in field else ())):
        yield from _named(inner)


def _section(name: str, part: Node) -> Iterator[str]:
    yield f"## {name}\n\n{part['description']}\n\n| field | takes | when absent | meaning |\n|---|---|---|---|"
    for field, described in part["properties"].items():
        absent = "**needed**" if field in part.get("required", ()) else _default(described)
        yield f"| `{field}` | {_takes(described)} | {absent} | {_cell(described.get('description', ''))} |"
    yield ""


def _default(field: Node) -> str:
    value = field.get("default")
    return "-" if value in (None, [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _takes(field: Node) -> str:
    """What a field takes, in words and patterns."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_takes(one) for one in field["anyOf"] if one.get("type") != "null")
    if field.get("type") == "array":
        least = f" (at least {field['minItems']})" if field.get("minItems") else ""
        return f"list{least} of {_takes(field['items'])}"
    if choices := field.get("enum") or ([field["const"]] if "const" in field else []):
        return " · ".join(f"`{choice}`" for choice in choices)
    return _plain(field)


WORDS = {"boolean": "true or false", "integer": "whole number", "object": "mapping", "string": "text"}
FORMATS = {"date": "date", "duration": "duration", "ipv4network": "IPv4 network, e.g. `10.102.0.0/20`"}
LINE = r"^[^\r\n\x00-\x1f]+$"


def _plain(field: Node) -> str:
    kind = FORMATS.get(field.get("format", "")) or WORDS[field["type"]]
    if field.get("pattern") == LINE:
        kind = "one line of text"
    elif "pattern" in field:
        return f"`{_cell(field['pattern'])}`"
    return kind + _limits(field)


def _limits(field: Node) -> str:
    if "maxLength" in field:
        return f", at most {field['maxLength']:,} characters"
    least = field.get("minimum", field["exclusiveMinimum"] + 1 if "exclusiveMinimum" in field else None)
    return f", {least:,} to {field['maximum']:,}" if "maximum" in field else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
