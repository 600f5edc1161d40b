"""A whole database against its copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from onboarding.addresses import Database
from onboarding.reconcile.relations import foreign_tables, relations
from onboarding.reconcile.report import Comparison, Excluded
from onboarding.reconcile.sides import agreed_encoding, reading
from onboarding.reconcile.tables import Comparing, SetAside, compare_tables

NAMED_ROWS = 1_000
STATEMENT_TIMEOUT_S = 900


def compare_databases(
    source: Database,
    target: Database,
    *,
    jobs: int = 2,
    exclude_schemas: Sequence[str] = ("namrong",),
    set_aside: Mapping[str, Sequence[SetAside]] | None = None,
    named: int = NAMED_ROWS,
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> Comparison:
    """Everything that differs between two databases: rows, objects, sequences, large objects.

    Both are read under one snapshot each, by at most `jobs` queries at a time per server; nothing is written. The
    logins must see every row: where row security would hide some, the table is unknown, and the databases not equal.
    `set_aside` names rows by table (`schema.table`) that were quarantined or excluded on purpose.
    Raises TryAgain when a server cannot be reached or is lost.
    """
    settings = {"streams": jobs, "statement_timeout_s": statement_timeout_s}
    with reading("source", source, **settings) as ours, reading("target", target, **settings) as theirs:
        with ThreadPoolExecutor(max_workers=2 * jobs) as pool:
            comparing = Comparing(
                ours,
                theirs,
                agreed_encoding(ours, theirs),
                pool,
                {table: tuple(parts) for table, parts in (set_aside or {}).items()},
                named,
            )
            tables = compare_tables(comparing, relations(ours, exclude_schemas), relations(theirs, exclude_schemas))
            excluded = [Excluded(name, "foreign_table") for name in foreign_tables(ours, exclude_schemas)]
            excluded += [Excluded(f"{schema}.*", "schema_excluded") for schema in sorted(exclude_schemas)]
        return Comparison(tuple(tables), tuple(excluded))
