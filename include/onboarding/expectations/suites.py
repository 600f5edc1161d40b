"""The manifest's expectations as Great Expectations' own objects, refused where it has none of that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from onboarding.errors import Stop
from onboarding.expectations.tables import Table

# What a manifest may not set: it could ask for samples of rows.
OURS = frozenset({"result_format", "catch_exceptions", "id", "meta", "rendered_content", "batch_id"})


class Asked(Protocol):
    """`manifest.Expectation`, or anything with its fields."""

    @property
    def table(self) -> str: ...
    @property
    def schema_name(self) -> str: ...
    @property
    def expect(self) -> str: ...
    @property
    def with_(self) -> Mapping[str, object]: ...
    @property
    def personal(self) -> bool: ...


@dataclass(frozen=True)
class Suite:
    """Expectations about one table that are evaluated together. `counted`: rows that miss them may be counted."""

    name: str
    table: Table
    counted: bool
    asked: tuple[Asked, ...]
    made: tuple[Any, ...]


def suites(expectations: Sequence[Asked]) -> list[Suite]:
    """The expectations by table, those on personal data and those on whole tables apart. Raises Stop.

    Great Expectations is imported here (seconds).
    """
    from great_expectations import expectations as known
    from great_expectations.expectations import expectation as kinds

    by_row = (kinds.ColumnMapExpectation, kinds.ColumnPairMapExpectation, kinds.MulticolumnMapExpectation)
    grouped: dict[tuple[Table, bool], list[tuple[Asked, Any]]] = {}
    for asked in expectations:
        made = _made(asked, known)
        # only of these is the plain count of rows without any value in it
        counted = not asked.personal and isinstance(made, by_row)
        grouped.setdefault((Table(asked.schema_name, asked.table), counted), []).append((asked, made))
    return list(_named(grouped))


def _named(grouped: Mapping[tuple[Table, bool], list[tuple[Asked, Any]]]) -> Iterator[Suite]:
    for number, ((table, counted), members) in enumerate(grouped.items(), 1):
        plain = "".join(letter for letter in table.name if letter.isascii() and (letter.isalnum() or letter in "_-"))
        name = f"{number:02d}-{plain}".rstrip("-")
        yield Suite(name, table, counted, tuple(asked for asked, _ in members), tuple(made for _, made in members))


def _made(asked: Asked, known: Any) -> Any:
    where = f"{asked.expect} on {asked.schema_name}.{asked.table}"
    kind = getattr(known, asked.expect, None)
    if not isinstance(kind, type) or not issubclass(kind, known.Expectation):
        raise Stop("expectations.unknown_class", where=where, found=asked.expect)
    refused = OURS & asked.with_.keys()
    if refused:
        raise Stop("expectations.refused_setting", where=where, found=", ".join(sorted(refused)))
    try:
        return kind(**asked.with_)
    except (TypeError, ValueError) as failure:
        raise Stop("expectations.wrong_setting", where=where, reason=_first_line(failure)) from failure


def _first_line(failure: Exception) -> str:
    return " ".join(str(failure).split())[:300]
