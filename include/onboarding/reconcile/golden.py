"""Questions whose answers an agency signed, put to both databases; only digests of the answers come back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import repeat
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.observations import Answer, Observation
from onboarding.reconcile.sides import pinned

STATEMENT_TIMEOUT_S = 60


class Question(Protocol):
    """`manifest.GoldenQuery`, or anything with its two fields."""

    @property
    def name(self) -> str: ...
    @property
    def sql(self) -> str: ...


@dataclass(frozen=True)
class Reply:
    """What one database answered: SHA-256 over the rows in order, and how many. `problem`: why there is none."""

    sha256: str = ""
    rows: int = 0
    problem: str = ""


@dataclass(frozen=True)
class GoldenAnswer:
    """One question and both replies."""

    name: str
    source: Reply
    target: Reply

    @property
    def known(self) -> bool:
        """Both answered."""
        return not (self.source.problem or self.target.problem)

    @property
    def equal(self) -> bool:
        """Both answered, and alike to the byte."""
        return self.known and self.source == self.target

    def as_json(self) -> dict[str, Any]:
        """Digests and counts, no answers."""
        return asdict(self) | {"equal": self.equal}


@dataclass(frozen=True)
class GoldenAnswers:
    """Every question of a workload and its replies."""

    answers: tuple[GoldenAnswer, ...]

    @property
    def equal(self) -> bool:
        """Every question was answered alike by both."""
        return all(answer.equal for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        """Digests and counts, no answers."""
        return {"equal": self.equal, "answers": [answer.as_json() for answer in self.answers]}

    def observations(self, at: datetime) -> list[Observation]:
        """What a gate asks: do both give the answers that were signed for."""
        unknown = [answer.name for answer in self.answers if not answer.known]
        differing = [answer.name for answer in self.answers if answer.known and not answer.equal]
        answer = Answer.FAIL if differing else Answer.UNKNOWN if unknown else Answer.PASS
        why = {Answer.FAIL: "reconcile.golden_differ", Answer.UNKNOWN: "reconcile.golden_unknown"}.get(answer, "")
        named = ", ".join(differing or unknown)
        return [Observation("golden_match", answer, differing + unknown, [], at, why, {"named": named})]


def ask(
    source: Database,
    target: Database,
    queries: Sequence[Question],
    *,
    source_snapshot: str = "",
    statement_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> GoldenAnswers:
    """Both databases' replies to every question, each in a transaction of its own that cannot write.

    The order of rows counts: a question with more than one row should sort them. Answers are held in memory: a
    question is about sums and counts, not about every row. Names in a question resolve in
    `public` after PostgreSQL's own; settings are pinned as in `canonical`. `source_snapshot`, an exported one that the
    caller holds, is the moment of the source that is asked. Raises TryAgain when a server cannot be reached.
    """
    with ThreadPoolExecutor(2) as pool:
        asked = repeat(queries), repeat(statement_timeout_s)
        ours, theirs = pool.map(_replies, (source, target), (source_snapshot, ""), *asked)
    return GoldenAnswers(
        tuple(GoldenAnswer(query.name, *both) for query, *both in zip(queries, ours, theirs, strict=True))
    )


def _replies(database: Database, snapshot: str, queries: Iterable[Question], statement_timeout_s: int) -> list[Reply]:
    with pinned(database, statement_timeout_s) as connection:
        connection.execute("SELECT set_config('search_path', 'pg_catalog, public', false)")
        return [_reply(connection, snapshot, query.sql) for query in queries]


def _reply(connection: psycopg.Connection[tuple[Any, ...]], snapshot: str, question: LiteralString) -> Reply:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if snapshot:
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            # prepared: PostgreSQL then takes one statement and refuses a second one behind it
            result = connection.execute(question, prepare=True).pgresult
    except psycopg.Error as failure:
        return Reply(problem=f"{type(failure).__name__} {failure.sqlstate or ''}".strip())
    if result is None or not result.nfields:
        return Reply(problem="no rows asked for")
    digest = hashlib.sha256()
    for row in range(result.ntuples):
        # values as the server printed them, whatever their type: no rounding, no local time
        digest.update(_line([result.get_value(row, column) for column in range(result.nfields)]))
    return Reply(digest.hexdigest(), result.ntuples)


def _line(row: Sequence[bytes | None]) -> bytes:
    """The row, each value with its length, NULL as -1."""
    return b"".join(b"-1:" if value is None else b"%d:%b" % (len(value), value) for value in row) + b"\n"
