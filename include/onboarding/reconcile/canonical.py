"""The one form of a row that both servers hash, and the session settings it depends on.

A row is its columns' texts in the order of their names, and which of them are NULL. Where it is hashed as one text,
each column stands as `<bytes>:<text>`, or `-1:` for NULL. Servers with the same hash function do without that text:
each column's is hashed under the hash of those before it as the seed, and last the pattern of NULLs, so that nothing
runs into its neighbour either and no copy of the row is made (a third less time on the server). The text is
what the type's own output function gives, never a cast (a cast may strip: `char(n)`, or be anybody's). Hence, strictly:

===================  ==========================================================================================
NULL and ''          differ (`-1:` and `0:`); so do ('ab','c') and ('a','bc')
text, varchar        bytes as stored: case, trailing and zero-width spaces, line ends, Thai combining order (`น้ำ` has
                     two encodings) count
char(n)              with its padding, so a trailing space is no difference where SQL says it is none; a leading one is
numeric              with its scale: 1.0 is not 1.00; NaN and infinities by name
real, double         shortest exact form; -0 is not 0; NaN equals NaN, each infinity itself
timestamptz          the instant, in UTC; microseconds count; timestamp without zone as written; a time of day with its
                     zone
interval             ISO 8601 with its own months, days and seconds: 24 hours is not 1 day
json                 as stored, white space and key order included; jsonb in its canonical form
bytea                hexadecimal
enum, uuid, bool     by label, canonical form, t or f
arrays, composites   by PostgreSQL's canonical text, lower bounds and inner NULLs included; ranges likewise
generated columns    compared like any other
===================  ==========================================================================================

Only the columns' text is hashed: that the declared types agree is the business of `objects`. Each rule has its pairs in
`tests/integration/test_reconcile_databases.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

# Every setting that changes what an output function prints, or whose rows are seen (PostgreSQL 18, chapter 19.11).
PINNED: dict[str, str] = {
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "default_transaction_read_only": "on",
    "extra_float_digits": "3",
    "idle_in_transaction_session_timeout": "0",
    "intervalstyle": "iso_8601",
    "jit": "off",
    "lc_monetary": "C",
    "lock_timeout": "30s",
    "max_parallel_workers_per_gather": "0",
    "quote_all_identifiers": "off",
    "row_security": "off",  # a policy that would hide rows becomes an error, and the table unknown
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "xmloption": "content",
}

# Deep enough; every column is one level of a nested call, and the pattern of NULLs fits an integer.
COLUMNS_PER_CHAIN = 30
# A call takes at most 100 arguments (FUNC_MAX_ARGS) and each column needs three.
COLUMNS_PER_CALL = 30

SEEDS = (0x1F3D5B79A2C4E680, 0x2545F4914F6CDD1D)

HashName = Literal["fast", "portable"]


@dataclass(frozen=True)
class Column:
    """A column and the output function of its type, empty where the stored text is the text form."""

    name: str
    output: tuple[str, str] | None


@dataclass(frozen=True)
class Encoding:
    """How rows become text and text becomes two 64-bit numbers; the same on both sides.

    `fast` is PostgreSQL's own 64-bit hash under two seeds; it depends on the byte order of the machine, so servers that
    disagree on a probe use `portable`, the two halves of SHA-256. `transcode` writes text as the hexadecimal of its
    UTF-8, for servers whose databases are stored in different encodings.
    """

    hash: HashName = "fast"
    transcode: bool = False

    def field(self, column: Column) -> sql.Composable:
        """The column's text form: NULL only where the column is NULL."""
        name = sql.Identifier(column.name)
        if column.output is None:
            text: sql.Composable = sql.SQL("{}::pg_catalog.text").format(name)
        else:
            text = sql.SQL("pg_catalog.textin({}({}))").format(sql.Identifier(*column.output), name)
        if self.transcode:
            return sql.SQL("pg_catalog.encode(pg_catalog.convert_to({}, 'UTF8'), 'hex')").format(text)
        return text

    def clear(self, text: str | None) -> str | None:
        """A field's text as a person reads it."""
        return bytes.fromhex(text).decode() if self.transcode and text is not None else text

    def row(self, aliases: Sequence[sql.Identifier]) -> sql.Composable:
        """The length-prefixed encoding of already rendered columns; collation C, so that bytes are hashed."""
        calls: list[sql.Composable] = [
            sql.SQL("concat({})").format(
                sql.SQL(", ").join(
                    sql.SQL("coalesce(octet_length({0}), -1), ':', {0}").format(alias)
                    for alias in aliases[start : start + COLUMNS_PER_CALL]
                )
            )
            for start in range(0, len(aliases), COLUMNS_PER_CALL)
        ]
        return sql.SQL('({}) COLLATE "C"').format(sql.SQL(" || ").join(calls or [sql.SQL("''")]))

    def hashed_row(self, aliases: Sequence[sql.Identifier], which: int) -> sql.Composable:
        """The first or second hash (1, 2) of a row of already rendered columns, a bigint."""
        if self.hash != "fast":
            return self._hash(self.row(aliases), which)
        whole: sql.Composable = sql.Literal(SEEDS[which - 1])
        for start in range(0, len(aliases), COLUMNS_PER_CHAIN):
            whole = _chained(aliases[start : start + COLUMNS_PER_CHAIN], whole)
        return whole

    def first(self, text: sql.Composable) -> sql.Composable:
        """The first of the two hashes, a bigint."""
        return self._hash(text, 1)

    def second(self, text: sql.Composable) -> sql.Composable:
        """The second hash, independent of the first."""
        return self._hash(text, 2)

    def _hash(self, text: sql.Composable, which: int) -> sql.Composable:
        if self.hash == "fast":
            return sql.SQL("hashtextextended({}, {})").format(text, sql.Literal(SEEDS[which - 1]))
        half = sql.SQL("substr(sha256(convert_to({}, 'UTF8')), {}, 8)").format(text, sql.Literal(which * 8 - 7))
        return sql.SQL("('x' || encode({}, 'hex'))::bit(64)::bigint").format(half)


def _chained(aliases: Sequence[sql.Identifier], seed: sql.Composable) -> sql.Composable:
    """The columns' hash under that seed: each is hashed under the one before, then which of them are NULL."""
    hashed = seed
    for alias in aliases:
        hashed = sql.SQL("""hashtextextended(coalesce({}, '') COLLATE "C", {})""").format(alias, hashed)
    missing = sql.SQL(" + ").join(
        sql.SQL("CASE WHEN {} IS NULL THEN {} ELSE 0 END").format(alias, sql.Literal(1 << place))
        for place, alias in enumerate(aliases)
    )
    return sql.SQL("hashint4extended({}, {})").format(missing, hashed)
