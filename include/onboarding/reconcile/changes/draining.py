"""From the slot to the pending keys: read, kept on the target, and only then is the slot moved on.

Killed anywhere, the changes are read again: what was kept already is passed over by its position, and kept twice it
would only be looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from psycopg import sql

from onboarding.reconcile.changes import pgoutput
from onboarding.reconcile.changes.pending import Key, doubt, keep, read_to, set_read_to
from onboarding.reconcile.changes.sessions import Connection, WatchLost, one_at_a_time, session
from onboarding.reconcile.changes.watched import Watched, tables_then
from onboarding.reconcile.changes.watches import Watch, began, position
from onboarding.reconcile.relations import Name

CHANGES_PER_BATCH = 20_000
"""The server is asked for so many at a time, and gives whole transactions."""
KEYS_AT_ONCE = 10_000
BYTES_PER_FETCH = 4 * 1024 * 1024


def mark(watch: Watch) -> str:
    """A position of the watch's server: whatever was committed before this call lies before it, on its disk."""
    with session(watch.database) as connection:
        # a commit that waits for the disk brings all before it there: until then no slot tells of it
        connection.execute("SELECT pg_logical_emit_message(true, 'namrong', '')")
        row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    if row is None:
        raise WatchLost("no position")
    return str(row[0])


def began_at(watch: Watch) -> str:
    """Where the watch began, while every change since is known or kept by its slot. Raises WatchLost."""
    with session(watch.database) as there, session(watch.kept) as here:
        return _standing(watch, there, here)[0]


def drain(watch: Watch, to: str, *, per_batch: int = CHANGES_PER_BATCH) -> None:
    """Every key that was changed before that position is pending. Raises WatchLost."""
    with one_at_a_time(watch.kept, f"{watch.name} {watch.side}") as here, session(watch.database) as there:
        while _batch(watch, there, here, to, per_batch):
            pass


def _standing(watch: Watch, there: Connection, here: Connection) -> tuple[str, int]:
    """Where it began, and up to where it is read. A slot that is further on left something out."""
    first, now = began(there, watch.name), position(there, watch.name)
    if first is None or now is None:
        raise WatchLost("slot or publication is not what it was")
    known = max(number(first), number(read_to(here, watch) or first))
    if number(now) > known:
        raise WatchLost("the slot was moved on by somebody")
    return first, known


def _batch(watch: Watch, there: Connection, here: Connection, to: str, most: int) -> bool:
    """Whether there may be more."""
    _, known = _standing(watch, there, here)
    if known >= number(to):
        _advance(watch, there, known)
        return False
    with here.transaction():
        taken = Taken(watch, here, tables_then(there, watch.name), known)
        told = 0
        for data in _peek(watch, there, to, most):
            told += 1
            taken.take(data)
        taken.flush()
        end = max(taken.end, number(to) if told < most else known)
        set_read_to(here, watch, text(end))
    _advance(watch, there, end)
    return told >= most


@dataclass
class Taken:
    """What a batch tells, folded into keys and kept a few thousand at a time."""

    watch: Watch
    here: Connection
    tables: dict[int, Watched]
    known: int
    end: int = 0
    names: dict[int, pgoutput.Described] = field(default_factory=dict)
    keys: dict[tuple[Name, Key], tuple[int, str]] = field(default_factory=dict)
    doubts: dict[Name, str] = field(default_factory=dict)
    within: pgoutput.Begin | None = None

    def take(self, data: bytes) -> None:
        try:
            message = pgoutput.read(data)
        except pgoutput.NotUnderstood as failure:
            raise WatchLost(f"not understood: {failure}") from failure
        match message:
            case pgoutput.Described():
                self.names[message.oid] = message
            case pgoutput.Begin():
                self.within = message
            case pgoutput.Commit():
                self.end = max(self.end, message.end)
            case pgoutput.Changed() if self._is_new():
                self._changed(message)
            case pgoutput.Truncated() if self._is_new():
                for oid in message.tables:
                    self._doubt(oid, "truncated")

    def _is_new(self) -> bool:
        return self.within is not None and self.within.commits_at >= self.known

    def _changed(self, message: pgoutput.Changed) -> None:
        table, told = self.tables.get(message.table), self.names.get(message.table)
        if table is None or told is None:
            self._doubt(message.table, "not_watched")
        elif table.key is None:
            self._doubt(message.table, "keyless")
        else:
            found = keys_of(message, told.columns, table.key)
            if found is None:
                self._doubt(message.table, "untold_key")
            for key in found or ():
                self._pend(table.reads_as, key)

    def _pend(self, table: Name, key: Key) -> None:
        begin = self.within
        if begin is not None:
            self.keys[table, key] = begin.xid, text(begin.commits_at)
        if len(self.keys) >= KEYS_AT_ONCE:
            self.flush()

    def _doubt(self, oid: int, reason: str) -> None:
        table, told = self.tables.get(oid), self.names.get(oid)
        name = table.reads_as if table else (told.schema, told.name) if told else None
        if name is None:
            raise WatchLost("a table without a name")
        self.doubts[name] = reason

    def flush(self) -> None:
        keep(self.here, self.watch, self.keys)
        doubt(self.here, self.watch, self.doubts)
        self.keys.clear()
        self.doubts.clear()


def keys_of(message: pgoutput.Changed, columns: tuple[str, ...], key: tuple[str, ...]) -> set[Key] | None:
    """The keys of the old row and of the new; None when one is not told."""
    old = _part(message.old, columns, key)
    found = set() if old is None else {old}
    if message.new is not None:
        beside = dict(zip(columns, message.old or (), strict=False))
        row = tuple(
            beside.get(name) if value is pgoutput.Untold.UNCHANGED else value
            for name, value in zip(columns, message.new, strict=False)
        )
        new = _part(row, columns, key)
        if new is None:
            return None
        found.add(new)
    return found if message.old is None or old is not None else None


def _part(row: pgoutput.Row | None, columns: tuple[str, ...], key: tuple[str, ...]) -> Key | None:
    told = dict(zip(columns, row or (), strict=False))
    found = [told.get(name) for name in key]
    texts = [value for value in found if isinstance(value, str)]
    return tuple(texts) if len(texts) == len(key) else None


def _peek(watch: Watch, there: Connection, to: str, most: int) -> Iterator[bytes]:
    """The messages, fetched a few megabytes at a time however large a transaction is."""
    with there.transaction(), there.cursor(name="namrong_watch") as cursor:
        cursor.execute(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, %s, %s, 'proto_version', '1',"
            " 'publication_names', %s)",
            [watch.name, to, most, sql.Identifier(watch.name).as_string()],
        )
        size = 50
        while rows := cursor.fetchmany(size):
            fetched = sum(len(data) for (data,) in rows)
            size = max(1, size // 2) if fetched > BYTES_PER_FETCH else min(2_000, size * 2)
            for (data,) in rows:
                yield bytes(data)


def _advance(watch: Watch, there: Connection, to: int) -> None:
    now = position(there, watch.name)
    if now is not None and number(now) < to:
        there.execute("SELECT pg_replication_slot_advance(%s, %s)", [watch.name, text(to)])


def number(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def text(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
