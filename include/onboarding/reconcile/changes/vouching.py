"""For which tables the two watches together vouch: of all others, every row is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onboarding.reconcile.changes.pending import doubtful
from onboarding.reconcile.changes.sessions import session
from onboarding.reconcile.changes.watched import Watched, standing_tables, tables_then
from onboarding.reconcile.changes.watches import Watch, Watches
from onboarding.reconcile.relations import Name


@dataclass(frozen=True)
class Vouched:
    """What was told of each table: the key its rows go by (none: no row changed), or why it has to be read wholly."""

    keys: Mapping[Name, tuple[str, ...]]
    reasons: Mapping[Name, str]

    def reason(self, table: Name) -> str:
        """Empty where every change since the watches began is known."""
        return self.reasons.get(table, "" if table in self.keys else "not_watched")


def vouched(watches: Watches) -> Vouched:
    """Asked after both watches were drained.

    A table has to be on both sides, told of since the watches began, by the same key, and its rows may not have been
    written anew since (ALTER TABLE, VACUUM FULL, TRUNCATE), which no log of changes tells.
    """
    ours, theirs = (_of(watch) for watch in watches)
    reasons = {**theirs.reasons, **ours.reasons, **doubtful(watches.target.kept, watches)}
    for table in ours.keys.keys() | theirs.keys.keys():
        if ours.keys.get(table) != theirs.keys.get(table):
            reasons.setdefault(table, "not_watched")
    return Vouched(ours.keys, reasons)


def _of(watch: Watch) -> Vouched:
    with session(watch.database) as connection:
        then, now = tables_then(connection, watch.name), standing_tables(connection, watch.name)
    parts: dict[Name, list[Watched]] = {}
    reasons: dict[Name, str] = {}
    for table in now:
        parts.setdefault(table.reads_as, []).append(table)
        if reason := _reason(then.get(table.oid), table):
            reasons[table.reads_as] = reason
    for lost in then.keys() - {table.oid for table in now}:
        reasons.setdefault(then[lost].reads_as, "not_watched")
    keys = {name: _key(tables) for name, tables in parts.items()}
    for name in [name for name, key in keys.items() if key is None]:
        reasons.setdefault(name, "not_watched")
    return Vouched({name: key for name, key in keys.items() if key is not None}, reasons)


def _reason(then: Watched | None, now: Watched) -> str:
    if then is None or then.entry != now.entry or then.entered != now.entered:
        return "not_watched"
    if then.filenode != now.filenode or then.shape != now.shape:
        return "rewritten"
    return "" if then == now else "not_watched"


def _key(tables: Iterable[Watched]) -> tuple[str, ...] | None:
    """The key that all parts of a table go by: empty for one without any, None where they do not agree."""
    keys = {table.key or () for table in tables}
    return keys.pop() if len(keys) == 1 else None
