"""Under the freeze: what changed since the full proof, compared, and everything but rows wholly.

Every row that may differ is pending: `rounds` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from onboarding.reconcile.changes.asking import added, asked, look
from onboarding.reconcile.changes.draining import drain, mark
from onboarding.reconcile.changes.pending import batches, keys
from onboarding.reconcile.changes.sessions import Connection, one_at_a_time
from onboarding.reconcile.changes.standing import Began, demand_standing
from onboarding.reconcile.changes.vouching import Vouched, vouched
from onboarding.reconcile.changes.watches import EXCLUDED, Watches
from onboarding.reconcile.databases import NAMED_ROWS, STATEMENT_TIMEOUT_S, comparing_both, with_objects
from onboarding.reconcile.relations import Relation, relations
from onboarding.reconcile.report import Comparison
from onboarding.reconcile.sequences import Rule
from onboarding.reconcile.sides import Unreadable
from onboarding.reconcile.tables import Comparing, TableComparison, compare_tables


def compare_changed(
    watches: Watches,
    proven: Began,
    *,
    record: int,
    jobs: int = 2,
    roles: Mapping[str, str] | None = None,
    expect_writes_closed_for: str | None = None,
    sequences: Rule = "exactly",
    named: int = NAMED_ROWS,
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> Comparison:
    """Under the freeze, all changes applied: every row that changed since the full proof, and everything but rows.

    Tables that nobody can vouch for are read wholly, and say why. `record` is the full proof's number in the ledger.
    Raises WatchLost when another watch stands than then, or its slot lost something: compare everything.
    """
    demand_standing(watches, proven)
    for watch in watches:
        drain(watch, mark(watch))
    vouching = vouched(watches)
    both = partial(comparing_both, jobs=jobs, named=named, statement_timeout_s=statement_timeout_s)
    with (
        one_at_a_time(watches.target.kept, watches.target.name) as connection,
        both(watches.source.database, watches.target.database) as comparing,
    ):
        ours, theirs = (relations(side, EXCLUDED) for side in (comparing.source, comparing.target))
        by_key = {name for name in ours.keys() & theirs.keys() if not vouching.reason(name)}
        whole = [{name: one for name, one in side.items() if name not in by_key} for side in (ours, theirs)]
        tables = [_with_reason(table, vouching) for table in compare_tables(comparing, *whole)]
        tables += [
            _changed(connection, watches, comparing, ours[name], theirs[name], vouching.keys[name]) for name in by_key
        ]
        found = Comparison(tuple(sorted(tables, key=lambda table: table.table)), proven_by=record)
        return with_objects(comparing, found, EXCLUDED, dict(roles or {}), expect_writes_closed_for, sequences)


def _changed(
    connection: Connection,
    watches: Watches,
    comparing: Comparing,
    ours: Relation,
    theirs: Relation,
    key: tuple[str, ...],
) -> TableComparison:
    try:
        pair = asked(comparing, ours, theirs, key)
        looked = (look(comparing, pair, keys(batch)) for batch in batches(connection, watches, ours.id))
        found = added(looked, comparing.named)
    except Unreadable as failure:
        return TableComparison(ours.title, None, None, unknown=str(failure), compared="changed")
    missing, extra = (
        tuple(name for name in one.outputs if name not in other.outputs)
        for one, other in ((ours, theirs), (theirs, ours))
    )
    return TableComparison(
        ours.title, found.source_rows, found.target_rows, differences=found.differences, key=key,
        missing_columns=missing, extra_columns=extra, compared="changed",
    )  # fmt: skip


def _with_reason(table: TableComparison, vouching: Vouched) -> TableComparison:
    schema, _, name = table.table.partition(".")
    return replace(table, note=table.note or vouching.reason((schema, name)))
