"""Rows passed through: whichever side fails, both end at once, nothing stays, and no value is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from onboarding.addresses import Database
from onboarding.databases.streams import pass_through, run, stream
from onboarding.errors import OnboardingError, Stop, TryAgain

from .conftest import Source

ROWS = 200_000  # some 20 MB: more than all buffers between the servers hold
MADE = f"""
CREATE TABLE here AS SELECT n AS id, repeat('ลับมาก', 12) AS body FROM generate_series(1, {ROWS}) n;
CREATE TABLE there (LIKE here);
CREATE TABLE narrow (LIKE here);
ALTER TABLE narrow ADD CONSTRAINT few CHECK (id < 150000);
"""


@pytest.fixture
def source(make_source: Callable[[str], Source]) -> Source:
    return make_source(MADE)


def passed(source: Source, query: str, table: str, before: str = "SELECT 1") -> tuple[int, int, int]:
    async def work() -> tuple[int, int, int]:
        async with stream(source.owner, "reading") as reading, stream(source.owner, "writing") as writing:
            async with writing.transaction():
                await reading.execute(before)
                return await pass_through(
                    reading, query, writing, schema="public", table=table, columns=["id", "body"], form="binary"
                )

    return run(work, source.owner)


def test_every_byte_goes_through(source: Source) -> None:
    read, written, size = passed(source, "SELECT id, body FROM public.here", "there")
    assert (read, written) == (ROWS, ROWS)
    assert size > ROWS * 36 * 3  # 36 Thai letters of three bytes in each row
    same = "SELECT count(*) FROM (SELECT * FROM here EXCEPT ALL SELECT * FROM there) AS lost"
    assert source.run(same) == [(0,)]


@pytest.mark.parametrize(
    ("query", "table", "told"),
    [
        ("SELECT id, body FROM public.here", "narrow", "CheckViolationError.public.narrow.few"),
        ("SELECT id, repeat(body, 1 / (150000 - id)) FROM public.here", "there", "DivisionByZeroError"),
    ],
)
def test_a_failure_on_one_side_ends_both_and_tells_no_value(source: Source, query: str, table: str, told: str) -> None:
    with pytest.raises(Stop) as failure:
        passed(source, query, table)
    assert failure.value.values["reason"] == told
    assert "ลับมาก" not in str(failure.value)
    assert source.run(f"SELECT count(*) FROM {table}") == [(0,)]
    alive = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('reading', 'writing') AND state = 'active'"
    )
    assert source.run(alive) == [(0,)]


def test_a_server_that_goes_away_is_worth_another_try(source: Source) -> None:
    body = "CASE id WHEN 150000 THEN pg_terminate_backend(pg_backend_pid())::text ELSE body END"
    with pytest.raises(TryAgain):
        passed(source, f"SELECT id, {body} FROM public.here", "there")
    assert source.run("SELECT count(*) FROM there") == [(0,)]


def test_names_are_looked_up_by_our_own_resolver(source: Source) -> None:
    asked: list[str] = []

    def resolve(name: str) -> str:
        asked.append(name)
        return source.owner.host

    far = replace(source.owner, host="registry.agency.example", resolve=resolve)
    assert one(far) == 1
    assert set(asked) == {"registry.agency.example"}


def test_a_certificate_is_demanded_where_asked(source: Source) -> None:
    assert one(replace(source.owner, sslmode="prefer")) == 1
    with pytest.raises(OnboardingError):
        one(replace(source.owner, sslmode="require"))


def one(database: Database) -> object:
    async def work() -> object:
        async with stream(database, "one") as connection:
            return await connection.fetchval("SELECT 1")

    return run(work, database)
