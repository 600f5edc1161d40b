"""What may become of a copy without a row being another: none of it may raise an alarm."""

from __future__ import annotations

import random
from collections.abc import Callable

from planting import Connection


def rewritten(copy: Connection, dice: random.Random) -> None:
    copy.execute("UPDATE citizen SET name = name WHERE id %% %s = 0", [dice.randrange(3, 50)])


def shuffled(copy: Connection, dice: random.Random) -> None:
    copy.execute("SELECT setseed(%s)", [dice.random()])
    with copy.transaction():
        copy.execute("CREATE TEMPORARY TABLE held ON COMMIT DROP AS SELECT * FROM visit")
        copy.execute("TRUNCATE visit")
        copy.execute("INSERT INTO visit SELECT * FROM held ORDER BY random()")


def packed(copy: Connection, dice: random.Random) -> None:
    copy.execute(dice.choice(("VACUUM (FULL) parcel", "CLUSTER parcel USING parcel_pkey", "REINDEX TABLE parcel")))
    copy.execute("ALTER TABLE parcel SET WITHOUT CLUSTER")


def replaced(copy: Connection, dice: random.Random) -> None:
    share = {"of": dice.randrange(20, 90)}
    with copy.transaction():
        copy.execute("CREATE TEMPORARY TABLE held ON COMMIT DROP AS SELECT * FROM parcel"
                     " WHERE number %% %(of)s = 1", share)  # fmt: skip
        copy.execute("DELETE FROM parcel WHERE number %% %(of)s = 1", share)
        copy.execute("INSERT INTO parcel SELECT * FROM held ORDER BY number DESC")


def numbers_given(copy: Connection, dice: random.Random) -> None:
    """A copy may be ahead: its sequences may have given numbers that were rolled back."""
    copy.execute("SELECT nextval('doc_no') FROM generate_series(1, %s)", [dice.randrange(1, 40)])


HARMLESS: tuple[Callable[[Connection, random.Random], None], ...] = (
    rewritten, shuffled, packed, replaced, numbers_given,
)  # fmt: skip
