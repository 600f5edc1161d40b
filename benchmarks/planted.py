"""Twelve ways in which a copy loses or changes data: each planted by a seed, told exactly, and taken back exactly.

A planted fault says what a verifier has to name, and the whole of it: table, key, kind and columns of every row,
number of a large object, name of a sequence. What was there before is kept in the schema `namrong` of the copy, which
a comparison leaves out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from planting import Connection, Finding, kept, size
from psycopg import sql

Planted = Iterator[list[Finding]]


def some(copy: Connection, dice: random.Random, where: str = "true") -> int:
    """A citizen's number, drawn by the seed among those of `where`."""
    start = dice.randrange(1, size(copy, "citizen") * 9 // 10)
    row = copy.execute(f"SELECT min(id) FROM citizen WHERE id >= %s AND {where}", [start]).fetchone()
    assert row and row[0]
    return int(row[0])


@contextmanager
def changed(copy: Connection, number: int, column: str, value: str, values: Mapping[str, Any] | None = None) -> Planted:
    """One column of one citizen set to an SQL expression."""
    with kept(copy, "citizen", "id = %s", [number]):
        done = copy.execute(
            f"UPDATE citizen SET {column} = {value} WHERE id = %(id)s AND {column}::text COLLATE \"C\""
            f" IS DISTINCT FROM ({value})::text", {"id": number, **(values or {})})  # fmt: skip
        assert done.rowcount == 1, (number, column)
        yield [("public.citizen", "changed", (str(number),), (column,))]


@contextmanager
def row_deleted(copy: Connection, dice: random.Random) -> Planted:
    if dice.random() < 0.5:
        number = some(copy, dice)
        with kept(copy, "citizen", "id = %s", [number]):
            copy.execute("DELETE FROM citizen WHERE id = %s", [number])
            yield [("public.citizen", "missing", (str(number),), ())]
        return
    row = _visit(copy, dice)
    copy.execute("DELETE FROM visit WHERE ctid = (SELECT max(ctid) FROM visit WHERE n = %s AND raw = %s)", row[1:])
    try:
        yield [("public.visit", "missing", row, ())]
    finally:
        copy.execute("INSERT INTO visit VALUES (%s, %s, %s)", row)


@contextmanager
def row_twice(copy: Connection, dice: random.Random) -> Planted:
    row = _visit(copy, dice)
    added = copy.execute("INSERT INTO visit VALUES (%s, %s, %s) RETURNING ctid::text", row).fetchone()
    try:
        yield [("public.visit", "duplicated", row, ())]
    finally:
        copy.execute("DELETE FROM visit WHERE ctid = %s::tid", added)


def _visit(copy: Connection, dice: random.Random) -> tuple[Any, ...]:
    n = dice.randrange(1, size(copy, "visit") // 3 - 1) + dice.choice((0, size(copy, "visit")))
    row = copy.execute("SELECT what, n, raw FROM visit WHERE n = %s LIMIT 1", [n]).fetchone()
    assert row
    return row


@contextmanager
def keys_swapped(copy: Connection, dice: random.Random) -> Planted:
    one = some(copy, dice)
    other = dice.choice([one + 1, dice.randrange(1, one)]) if one > 1 else 2
    columns = ("amount", "at", "doc", "flags", "name", "note", "points", "raw")
    rows = copy.execute(
        f"SELECT {', '.join(f'{column}::text' for column in columns)} FROM citizen WHERE id IN (%s, %s)", [one, other]
    ).fetchall()
    differing = tuple(column for column, was, now in zip(columns, *rows, strict=True) if was != now)
    with kept(copy, "citizen", "id IN (%s, %s)", [one, other]):
        for before, after in ((one, -1), (other, one), (-1, other)):
            copy.execute("UPDATE citizen SET id = %s WHERE id = %s", [after, before])
        yield [("public.citizen", "changed", (str(number),), differing) for number in (one, other)]


@contextmanager
def one_bit(copy: Connection, dice: random.Random) -> Planted:
    number = some(copy, dice)
    bit = {"bit": dice.randrange(256)}
    row = copy.execute("SELECT points FROM citizen WHERE id = %s", [number]).fetchone()
    assert row
    column, value, values = dice.choice((
        ("raw", "set_bit(raw, %(bit)s, 1 - get_bit(raw, %(bit)s))", bit),
        ("flags", "flags # (1 << %(bit)s)", {"bit": bit["bit"] % 31}),
        ("points", "%(next)s::float8", {"next": math.nextafter(row[0], math.inf)}),
        ("name", "overlay(name placing chr(ascii(right(name, 1)) # 1) from length(name))", {}),
    ))  # fmt: skip
    with changed(copy, number, column, value, values) as expected:
        yield expected


@contextmanager
def null_or_empty(copy: Connection, dice: random.Random) -> Planted:
    was, now = dice.choice((("note IS NULL", "''"), ("note = ''", "NULL::text")))
    with changed(copy, some(copy, dice, was), "note", now) as expected:
        yield expected


@contextmanager
def trailing_space(copy: Connection, dice: random.Random) -> Planted:
    column = dice.choice(("name", "note"))
    with changed(copy, some(copy, dice), column, f"concat({column}, ' ')") as expected:
        yield expected


@contextmanager
def numeric_scale(copy: Connection, dice: random.Random) -> Planted:
    if dice.random() < 0.5:
        with changed(copy, some(copy, dice), "amount", "round(amount, scale(amount) + 1)") as expected:
            yield expected
        return
    number = dice.randrange(1, size(copy, "parcel"))
    with kept(copy, "parcel", "number = %s", [number]):
        copy.execute("UPDATE parcel SET area = round(area, scale(area) + 1) WHERE number = %s", [number])
        yield [("public.parcel", "changed", (f"สำนักงาน {number % 7}", str(number)), ("area",))]


@contextmanager
def one_second(copy: Connection, dice: random.Random) -> Planted:
    step = {"step": dice.choice((-1, 1))}
    with changed(copy, some(copy, dice), "at", "at + %(step)s * interval '1 second'", step) as expected:
        yield expected


@contextmanager
def sara_am(copy: Connection, dice: random.Random) -> Planted:
    spelt = dice.choice((("้ำ", "ํ้า"), ("้ำ", "้ํา"), ("ทำ", "ทํา")))  # all of them look alike
    words = dict(zip(("was", "now"), spelt, strict=True))
    with changed(copy, some(copy, dice), "name", "replace(name, %(was)s, %(now)s)", words) as expected:
        yield expected


@contextmanager
def tail_cut(copy: Connection, dice: random.Random) -> Planted:
    if dice.random() < 0.5:
        with changed(copy, some(copy, dice), "raw", "substr(raw, 1, %(left)s)", {"left": dice.randrange(32)}) as fault:
            yield fault
        return
    number = 900_000 + dice.randrange(1, 7)
    row = copy.execute("SELECT lo_get(%s)", [number]).fetchone()
    assert row
    left = len(row[0]) - dice.choice((1, dice.randrange(1, len(row[0])), len(row[0])))
    with copy.transaction():
        copy.execute("SELECT lo_truncate64(lo_open(%s, 131072), %s)", [number, left])
    try:
        yield [("large object", number, "content")]
    finally:
        copy.execute("SELECT lo_put(%s, %s, %s)", [number, left, row[0][left:]])


@contextmanager
def last_chunk_lost(copy: Connection, dice: random.Random) -> Planted:
    last = size(copy, "citizen")
    first = last - dice.randrange(1, 1_000)
    with kept(copy, "citizen", "id > %s", [first]):
        copy.execute("DELETE FROM citizen WHERE id > %s", [first])
        yield [("public.citizen", "missing", (str(number),), ()) for number in range(first + 1, last + 1)]


@contextmanager
def sequence_stale(copy: Connection, dice: random.Random) -> Planted:
    name = dice.choice(("doc_no", "countdown", "citizen_id_seq"))
    row = copy.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))).fetchone()
    assert row
    back = {"doc_no": 5, "countdown": -1, "citizen_id_seq": 1}[name] * dice.randrange(1, 600)
    problems = ("behind", "below_column") if name == "citizen_id_seq" else ("behind",)
    # standing still, with the number not yet given, is one step back
    copy.execute("SELECT setval(%s, %s, %s)", [name, *dice.choice(((row[0] - back, True), (row[0], False)))])
    try:
        yield [("sequence", f"public.{name}", problem) for problem in problems]
    finally:
        copy.execute("SELECT setval(%s, %s, %s)", [name, *row])


Plant = Callable[[Connection, random.Random], Any]

CLASSES: Mapping[str, Plant] = {
    "a row deleted": row_deleted,
    "a row twice": row_twice,
    "two keys swapped": keys_swapped,
    "one bit": one_bit,
    "NULL and empty": null_or_empty,
    "a trailing space": trailing_space,
    "numeric scale": numeric_scale,
    "one second": one_second,
    "Sara Am spelt otherwise": sara_am,
    "a tail cut off": tail_cut,
    "the last chunk lost": last_chunk_lost,
    "a stale sequence": sequence_stale,
}
