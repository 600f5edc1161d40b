"""Every row of every table, compared on the servers: equal sums, or the exact keys that differ.

First each side adds up its table: a count and two independent sums of 64-bit row hashes (sums, never XOR: a row that
lies there twice must show). Sums add up over block ranges, so each side splits its big tables as it likes. Where they
differ, rows fall into buckets by the hash of their key, the buckets are summed up, and of the differing buckets alone
the keys and hashes are read and merged. Buckets stand for key ranges because they need no common sort order: the
collations of two servers need not agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from onboarding.reconcile.canonical import Encoding
from onboarding.reconcile.merging import Differences, RowSeen, merge
from onboarding.reconcile.relations import Relation
from onboarding.reconcile.sides import Side

# 64 MiB of 8 kB blocks: a few tenths of a second of hashing, so that streams end together.
BLOCKS_PER_RANGE = 8_192
ROWS_PER_BUCKET = 64
MOST_BUCKETS = 65_536
TID_RANGE_SCAN_SINCE = 140_000


@dataclass(frozen=True)
class Total:
    """Count and two sums of row hashes; totals of disjoint parts add up."""

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: Total) -> Total:
        return Total(self.rows + other.rows, self.first + other.first, self.second + other.second)


@dataclass(frozen=True)
class Reading:
    """How one relation is read: which columns make a row, which make its key, over which rows."""

    relation: Relation
    columns: tuple[str, ...]
    key: tuple[str, ...]
    encoding: Encoding

    def encoded(self, where: sql.Composable | None = None, *, placed: bool = False) -> sql.Composed:
        """`f0, f1, …` (the fields' texts) and `k` (its key), one line per row; `p`, where it lies."""
        every = self._aliases()
        keys = [every[self.columns.index(name)] for name in self.key]
        return sql.SQL("SELECT *, {} AS k FROM ({}) AS fields OFFSET 0").format(
            self.encoding.row(keys or every), self._fields(where, placed=placed)
        )

    def _fields(self, where: sql.Composable | None, *, placed: bool = False) -> sql.Composed:
        """OFFSET 0 keeps the planner from computing a field's text once per mention."""
        fields = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(self.encoding.field(self.relation.outputs[name]), alias)
            for name, alias in zip(self.columns, self._aliases(), strict=True)
        )
        if placed:
            fields = sql.SQL(", ").join([sql.SQL("{} AS p").format(self._place()), *([fields] if self.columns else [])])
        return sql.SQL("SELECT {} FROM {}{} OFFSET 0").format(
            fields, self.relation.rows(), where if where is not None else sql.SQL("")
        )

    def _aliases(self) -> list[sql.Identifier]:
        return [sql.Identifier(f"f{index}") for index in range(len(self.columns))]

    def _hashes(self) -> tuple[sql.Composable, sql.Composable]:
        """The row's two."""
        return self.encoding.hashed_row(self._aliases(), 1), self.encoding.hashed_row(self._aliases(), 2)

    def _place(self) -> sql.Composable:
        """Where a row without a key lies; of hash partitions read as one table, in which of them too."""
        if self.key:
            return sql.SQL("''")
        return sql.SQL("tableoid::regclass || ' ' || ctid" if self.relation.kind == "p" else "ctid::text")

    def total(self, where: sql.Composable | None = None) -> sql.Composed:
        """One line: rows, first sum, second sum."""
        return sql.SQL("SELECT count(*), coalesce(sum({}), 0), coalesce(sum({}), 0) FROM ({}) AS encoded").format(
            *self._hashes(), self._fields(where)
        )

    def buckets(self, mask: int, where: sql.Composable | None = None) -> sql.Composed:
        """A line per bucket: its number, rows and sums."""
        return sql.SQL("SELECT {} AS bucket, count(*), sum({}), sum({}) FROM ({}) AS encoded GROUP BY 1").format(
            self._bucket(mask), *self._hashes(), self.encoded(where)
        )

    def rows_of(self, mask: int, buckets: Sequence[int]) -> sql.Composed:
        """The rows of these buckets, by key: hashes of row and fields, and the key in clear."""
        within = sql.SQL(" WHERE {} = ANY({})").format(self._bucket(mask), sql.Literal(list(buckets)))
        return self._seen(None, within)

    def rows_where(self, where: sql.Composable) -> sql.Composed:
        """The relation's rows for which `where` holds, told as `rows_of` does."""
        return self._seen(where, sql.SQL(""))

    def _seen(self, where: sql.Composable | None, of_encoded: sql.Composable) -> sql.Composed:
        """Values stand in the text: beside parameters, a `%` in a column's name would be taken for one."""
        hashes = sql.SQL(", ").join(
            self.encoding.first(sql.SQL('{} COLLATE "C"').format(alias)) for alias in self._aliases()
        )
        first, second = self._hashes()
        clear = sql.SQL(", ").join(sql.Identifier(f"f{self.columns.index(name)}") for name in self.key)
        return sql.SQL(
            "SELECT {key}, ARRAY[{clear}]::text[], {first}, {second}, ARRAY[{hashes}]::bigint[], p"
            " FROM ({encoded}) AS encoded{of_encoded} ORDER BY 1, 3, 4"
        ).format(
            # a keyless row is its own key, and may be long
            key=sql.SQL("k") if self.key else sql.SQL('md5(k) COLLATE "C"'),
            clear=clear,
            first=first,
            second=second,
            hashes=hashes,
            encoded=self.encoded(where, placed=True),
            of_encoded=of_encoded,
        )

    def _bucket(self, mask: int) -> sql.Composable:
        return sql.SQL("({} & {})").format(self.encoding.first(sql.SQL("k")), sql.Literal(mask))


def start_total(side: Side, reading: Reading, pool: ThreadPoolExecutor) -> list[Future[Total]]:
    """The table's total as work handed to the pool, one piece per range of blocks."""
    return [pool.submit(_total, side, reading.total(where)) for where in _ranges(side, reading.relation)]


def _total(side: Side, query: sql.Composed) -> Total:
    rows, first, second = side.ask(query)[0]
    return Total(rows, int(first), int(second))


def _ranges(side: Side, relation: Relation) -> list[sql.Composable | None]:
    """WHERE clauses that cut the table by blocks; the last has no end, the first no beginning."""
    if side.version < TID_RANGE_SCAN_SINCE or relation.blocks <= BLOCKS_PER_RANGE:
        return [None]
    starts = list(range(0, relation.blocks, BLOCKS_PER_RANGE))
    clauses: list[sql.Composable | None] = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        clause = sql.SQL(" WHERE ctid >= {}::tid").format(sql.Literal(f"({start},0)"))
        if end is not None:
            clause = sql.SQL("{} AND ctid < {}::tid").format(clause, sql.Literal(f"({end},0)"))
        clauses.append(clause)
    return clauses


def locate(
    source: tuple[Side, Reading], target: tuple[Side, Reading], pool: ThreadPoolExecutor, *, rows: int, named: int
) -> Differences:
    """Which rows differ, both ways; exact counts, and the keys of the first `named` of them."""
    mask = (1 << max(0, min(MOST_BUCKETS, max(1, rows // ROWS_PER_BUCKET)).bit_length() - 1)) - 1
    asked = [
        [pool.submit(side.ask, reading.buckets(mask, where)) for where in _ranges(side, reading.relation)]
        for side, reading in (source, target)
    ]
    ours, theirs = (_by_bucket(line for part in parts for line in part.result()) for parts in asked)
    differing = [bucket for bucket in ours.keys() | theirs.keys() if ours.get(bucket) != theirs.get(bucket)]
    with ExitStack() as open_cursors:
        streams = [_stream(open_cursors, side, reading, mask, differing) for side, reading in (source, target)]
        return merge(*streams, columns=source[1].columns, named=named, keyed=bool(source[1].key))


def _by_bucket(lines: Iterable[tuple[Any, ...]]) -> Mapping[int, Total]:
    found: dict[int, Total] = {}
    for bucket, rows, first, second in lines:
        found[bucket] = found.get(bucket, Total()) + Total(rows, int(first), int(second))
    return found


def _stream(opened: ExitStack, side: Side, reading: Reading, mask: int, buckets: list[int]) -> Iterator[RowSeen]:
    """The rows by key, fetched a few thousand at a time, so that a table of any size fits."""
    connection = opened.enter_context(side.lease())
    cursor = opened.enter_context(connection.cursor(name="namrong_rows"))
    cursor.itersize = 5_000
    cursor.execute(reading.rows_of(mask, buckets))
    clear = reading.encoding.clear
    return (
        RowSeen(key, tuple(clear(part) for part in parts), (first, second), tuple(fields), place)
        for key, parts, first, second, fields, place in cursor
    )
