"""docker-compose.yaml as Compose understands it, as far as it uses Compose: interpolation, anchors, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from launcher.checkout import ROOT

FILE = ROOT / "docker-compose.yaml"
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z0-9_]+)(?:(?P<how>:-|:\?)(?P<text>[^}]*))?\}")


class RequiredVariableMissing(Exception):
    """Compose would refuse to start."""


def written() -> dict[str, Any]:
    """The file, with nothing put in for its variables."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def services(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services by name. Raises RequiredVariableMissing (Compose Specification, "Interpolation")."""
    filled: dict[str, dict[str, Any]] = _fill(written()["services"], environment)
    for service in filled.values():
        service["environment"] = _given(service.get("environment", {}), environment)
    return filled


def demanded() -> set[str]:
    """The variables without which it refuses to start."""
    return {found["name"] for found in VARIABLE.finditer(FILE.read_text(encoding="utf-8")) if found["how"] == ":?"}


def texts(value: object) -> Iterator[str]:
    """Every text below a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from texts(key)
            yield from texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from texts(below)


def _fill(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: _put_in(found, environment), value)
    if isinstance(value, dict):
        return {key: _fill(below, environment) for key, below in value.items()}
    if isinstance(value, list):
        return [_fill(below, environment) for below in value]
    return value


def _put_in(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["name"] is None:
        return "$"
    value = environment.get(found["name"], "")
    if not value and found["how"] == ":?":
        raise RequiredVariableMissing(f"{found['name']}: {found['text']}")
    return value or (found["text"] or "" if found["how"] == ":-" else "")


def _given(values: Mapping[str, str | None], environment: Mapping[str, str]) -> dict[str, str]:
    """A variable without a value is passed on when it is set, and else is not there."""
    passed = {name: environment.get(name) if value is None else value for name, value in values.items()}
    return {name: value for name, value in passed.items() if value is not None}
