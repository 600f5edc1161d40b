"""Signed questions, put to two real databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from onboarding.addresses import Database
from onboarding.manifest import GoldenQuery
from onboarding.messages import text
from onboarding.observations import Answer
from onboarding.reconcile.golden import GoldenAnswers, ask

MakeDatabase = Callable[..., Database]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def question(sql: str, name: str = "q") -> GoldenQuery:
    return GoldenQuery(name=name, sql=sql, signed_by="นางสาวสมมติ ทดสอบ")


@pytest.fixture(scope="module")
def pair(make_database: MakeDatabase) -> tuple[Database, Database]:
    source, target = make_database("golden_s"), make_database("golden_t")
    for database in (source, target):
        with database.connect(autocommit=True) as connection:
            connection.execute("CREATE TABLE fee (year int, baht numeric, paid timestamptz)")
            connection.execute(
                "INSERT INTO fee SELECT 2560 + g % 9, g * 1.10, '2026-01-01+07' FROM generate_series(1, 90) g"
            )
    with target.connect(autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {target.name} SET timezone = 'Asia/Bangkok'")
        connection.execute("UPDATE fee SET baht = baht + 0.01 WHERE year = 2565 AND baht = 5.50")
    return source, target


def asked(pair: tuple[Database, Database], *sql: str) -> GoldenAnswers:
    return ask(*pair, [question(text, f"q{n}") for n, text in enumerate(sql)], statement_timeout_s=1)


def test_an_answer_is_the_same_to_the_byte_or_it_is_not(pair: tuple[Database, Database]) -> None:
    found = asked(
        pair,
        "SELECT year, count(*), min(paid) FROM fee GROUP BY year ORDER BY year",
        "SELECT sum(baht) FROM fee",
        "SELECT NULL::text, ''",
    )
    assert [answer.equal for answer in found.answers] == [True, False, True]
    assert found.answers[0].source.rows == 9
    (observed,) = found.observations(NOW)
    assert (observed.answer, observed.observed) == (Answer.FAIL, ["q1"])
    assert text(f"{observed.why}.what", "th", **observed.values)


def test_null_and_empty_and_the_split_between_values_tell_answers_apart(make_database: MakeDatabase) -> None:
    sides = []
    for row in ("('ab', 'c', NULL)", "('a', 'bc', NULL)", "('a', 'bc', '')"):
        database = make_database("golden_row")
        with database.connect(autocommit=True) as connection:
            connection.execute(f"CREATE VIEW v AS VALUES {row}".encode())
        sides.append(database)
    for one, other in ((0, 1), (1, 2)):
        assert not ask(sides[one], sides[other], [question("SELECT * FROM v")]).equal


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO fee VALUES (1, 1, now()) RETURNING 1",
        "DELETE FROM fee",
        "SELECT 1; DELETE FROM fee",
        "SELECT 1; COMMIT; SET default_transaction_read_only = off; DELETE FROM fee",
        "COMMIT",
        "SET default_transaction_read_only = off",
        "SELECT pg_sleep(20)",
        "SELECT * FROM nothing_here",
    ],
)
def test_a_question_that_writes_or_cannot_be_answered_is_unknown(pair: tuple[Database, Database], sql: str) -> None:
    found = asked(pair, sql, "SELECT count(*) FROM fee")
    assert (found.answers[0].known, found.answers[0].equal, found.equal) == (False, False, False)
    assert found.answers[1].equal  # nothing was deleted, and the session still answers
    assert found.observations(NOW)[0].answer == Answer.UNKNOWN


def test_no_answer_is_told(pair: tuple[Database, Database]) -> None:
    found = asked(pair, "SELECT 'สมชาย ใจดี' AS citizen", "SELECT 'สมชาย ใจดี'::int")
    assert "สมชาย" not in json.dumps(found.as_json(), ensure_ascii=False) + repr(found)
