"""A whole database against its copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TypeVar

from onboarding.addresses import Database
from onboarding.errors import Stop
from onboarding.reconcile.large_objects import LargeObjects, compare_large_objects
from onboarding.reconcile.objects import Objects, compare_objects
from onboarding.reconcile.relations import foreign_tables, relations
from onboarding.reconcile.report import Comparison, Excluded, Unread
from onboarding.reconcile.sequences import Rule, Sequences, compare_sequences
from onboarding.reconcile.sides import Side, Unreadable, agreed_encoding, reading
from onboarding.reconcile.tables import Comparing, SetAside, compare_tables

NAMED_ROWS = 1_000
STATEMENT_TIMEOUT_S = 900

Found = TypeVar("Found")


def compare_databases(
    source: Database,
    target: Database,
    *,
    jobs: int = 2,
    exclude_schemas: Sequence[str] = ("namrong",),
    roles: Mapping[str, str] | None = None,
    expect_writes_closed_for: str | None = None,
    sequences: Rule = "at_least",
    set_aside: Mapping[str, Sequence[SetAside]] | None = None,
    named: int = NAMED_ROWS,
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
    source_snapshot: str = "",
    source_share: float = 1,
) -> Comparison:
    """Everything that differs between two databases: rows, objects, sequences, large objects.

    Both are read under one snapshot each, by at most `jobs` queries at a time per server, none of which may take longer
    than `statement_timeout_s`; each of them keeps the source at work for `source_share` of the time (above 0, at most
    1). Nothing is written, so that either side may be a physical replica. The logins must see every row: where row
    security would hide some, the table is unknown, and the databases not equal.
    `roles` maps role names of the source to those of the target. The service role whose writes are closed until
    release is `expect_writes_closed_for` (its name on the source). `sequences` says where the target's must stand:
    `exactly` with a frozen source's, `past_column` with one that wrote on since its snapshot. `source_snapshot`, an
    exported one that the caller holds, is the moment of the source whose rows are compared, whatever was written there
    since. `set_aside` names rows by table (`schema.table`) that were quarantined or excluded on purpose.
    Raises TryAgain when a server cannot be reached or is lost.
    """
    with comparing_both(
        source, target, jobs=jobs, named=named, set_aside=set_aside, statement_timeout_s=statement_timeout_s,
        source_snapshot=source_snapshot, source_share=source_share,
    ) as comparing:  # fmt: skip
        ours, theirs = (relations(side, exclude_schemas) for side in (comparing.source, comparing.target))
        found = Comparison(tuple(compare_tables(comparing, ours, theirs)))
        return with_objects(comparing, found, exclude_schemas, dict(roles or {}), expect_writes_closed_for, sequences)


@contextmanager
def comparing_both(
    source: Database,
    target: Database,
    *,
    jobs: int = 2,
    named: int = NAMED_ROWS,
    set_aside: Mapping[str, Sequence[SetAside]] | None = None,
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
    source_snapshot: str = "",
    source_share: float = 1,
) -> Iterator[Comparing]:
    """Both sides open under one snapshot each, with what compares their rows: see `compare_databases`."""
    aside = {table: tuple(parts) for table, parts in (set_aside or {}).items()}
    with ExitStack() as opened:
        ours, theirs = (
            opened.enter_context(
                reading(database, streams=jobs, statement_timeout_s=statement_timeout_s, snapshot=snapshot, share=share)
            )
            for database, snapshot, share in ((source, source_snapshot, source_share), (target, "", 1))
        )
        pool = opened.enter_context(ThreadPoolExecutor(max_workers=2 * jobs))
        try:
            yield Comparing(ours, theirs, agreed_encoding(ours, theirs), pool, aside, named)
        except Unreadable as failure:
            raise Stop("reconcile.catalogue_unreadable", where=f"{source}, {target}", reason=str(failure)) from failure


def with_objects(
    comparing: Comparing,
    comparison: Comparison,
    exclude_schemas: Sequence[str],
    roles: Mapping[str, str],
    closed_for: str | None,
    rule: Rule,
) -> Comparison:
    """The comparison of rows with all the rest: objects, sequences, large objects, and what was left out."""
    ours, theirs = comparing.source, comparing.target
    comparison = replace(comparison, excluded=_excluded(ours, exclude_schemas))
    unread: list[Unread] = []
    objects = _or_unread(
        unread,
        "objects",
        Objects(),
        lambda: compare_objects(ours, theirs, exclude_schemas, roles=roles, expect_writes_closed_for=closed_for),
    )
    sequences = _or_unread(
        unread, "sequences", Sequences(), lambda: compare_sequences(ours, theirs, exclude_schemas, rule=rule)
    )
    if sequences.unknown:
        unread.append(Unread("sequences", f"replica: {', '.join(sequences.unknown)}"))
    large_objects = _or_unread(
        unread,
        "large_objects",
        LargeObjects(),
        lambda: compare_large_objects(ours, theirs, roles=roles, expect_writes_closed_for=closed_for),
    )
    return replace(comparison, objects=objects, sequences=sequences, large_objects=large_objects, unread=tuple(unread))


def _or_unread(unread: list[Unread], what: str, nothing: Found, compare: Callable[[], Found]) -> Found:
    """What `compare` finds; where a server refuses to be read, nothing, and a note that this part is unknown."""
    try:
        return compare()
    except Unreadable as failure:
        unread.append(Unread(what, str(failure)))
        return nothing


def _excluded(source: Side, exclude_schemas: Sequence[str]) -> tuple[Excluded, ...]:
    elsewhere = [Excluded(name, "foreign_table") for name in foreign_tables(source, exclude_schemas)]
    return (*elsewhere, *(Excluded(f"{schema}.*", "schema_excluded") for schema in sorted(exclude_schemas)))
