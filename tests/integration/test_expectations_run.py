"""Great Expectations on two real databases: what the move broke, what was so before, and what must not be told."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onboarding.addresses import Database
from onboarding.errors import Stop
from onboarding.expectations import ExpectationResult, run
from onboarding.manifest import Expectation
from onboarding.messages import text
from onboarding.observations import Answer

MakeDatabase = Callable[..., Database]
NOW = datetime(2026, 11, 22, tzinfo=UTC)

SCHEMA = """
CREATE TYPE mood AS ENUM ('ดี', 'แย่');
CREATE DOMAIN citizen_no AS char(13);
CREATE TABLE "ประชาชน" (
    id int PRIMARY KEY, name text, no citizen_no, mood mood, place point, during tstzrange, "a:b" int, "100%" int,
    joined date, amount numeric
);
INSERT INTO "ประชาชน" SELECT g, 'สมชายลับมาก' || g, lpad(g::text, 13, '1'), 'ดี', point(1, 2), '[2026-01-01,)', g, g,
    date '2020-01-01' + g, g * 1.5 FROM generate_series(1, 200) g;
UPDATE "ประชาชน" SET joined = '1999-01-01' WHERE id <= 4; -- an old sin
CREATE TABLE fee (id int, year int);
INSERT INTO fee SELECT g, 2560 + g % 8 FROM generate_series(1, 50) g;
"""
DAMAGE = """
UPDATE "ประชาชน" SET name = NULL WHERE id IN (7, 8);
UPDATE "ประชาชน" SET joined = '1998-01-01' WHERE id = 100;
UPDATE fee SET year = 2500 WHERE id = 1;
"""
PEOPLE = "ประชาชน"


def expected(expect: str, table: str = PEOPLE, *, personal: bool = False, **with_: object) -> Expectation:
    return Expectation(table=table, expect=expect, **{"with": with_}, personal=personal)  # type: ignore[arg-type]


ASKED = [
    expected("ExpectColumnValuesToNotBeNull", column="name", personal=True),
    expected("ExpectColumnValuesToMatchRegex", column="no", regex="^[0-9]{13}$", personal=True),
    expected("ExpectColumnValuesToMatchRegex", column="name", regex="^สมหญิง", personal=True),
    expected("ExpectColumnValuesToBeInSet", column="mood", value_set=["ดี"]),
    expected("ExpectColumnValuesToBeBetween", column="joined", min_value=datetime(2000, 1, 1).date()),
    expected("ExpectColumnValuesToBeUnique", column="a:b"),
    expected("ExpectTableRowCountToBeBetween", min_value=200, max_value=200),
    expected("ExpectTableRowCountToEqual", "fee", value=49),
    expected("ExpectColumnValuesToBeBetween", "fee", column="year", min_value=2550, max_value=2600),
    expected("ExpectColumnDistinctValuesToBeInSet", column="name", value_set=["x"]),
    expected("ExpectColumnValuesToNotBeNull", column="no_such_column"),
    expected("ExpectColumnValuesToNotBeNull", "no_such_table", column="x"),
]
VERDICTS = {
    ("ExpectColumnValuesToNotBeNull", "name"): "broken",
    ("ExpectColumnValuesToMatchRegex", "no"): "held",
    ("ExpectColumnValuesToMatchRegex", "name"): "already_so",
    ("ExpectColumnValuesToBeInSet", "mood"): "held",
    ("ExpectColumnValuesToBeBetween", "joined"): "broken",  # four rows before, five after
    ("ExpectColumnValuesToBeUnique", "a:b"): "held",
    ("ExpectTableRowCountToBeBetween", ""): "held",
    ("ExpectTableRowCountToEqual", ""): "already_so",
    ("ExpectColumnValuesToBeBetween", "year"): "broken",
    ("ExpectColumnDistinctValuesToBeInSet", "name"): "already_so",
    ("ExpectColumnValuesToNotBeNull", "no_such_column"): "unknown",
    ("ExpectColumnValuesToNotBeNull", "x"): "unknown",
}


@pytest.fixture(scope="module")
def sides(make_database: MakeDatabase) -> tuple[Database, Database]:
    source, target = make_database("expect_s"), make_database("expect_t")
    for database in (source, target):
        with database.connect(autocommit=True) as connection:
            connection.execute(SCHEMA.encode())
    with target.connect(autocommit=True) as connection:
        connection.execute(DAMAGE.encode())
    return source, target


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs")


@pytest.fixture(scope="module")
def logged() -> list[str]:
    return []


@pytest.fixture(scope="module")
def result(sides: tuple[Database, Database], pages: Path, logged: list[str]) -> ExpectationResult:
    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record.getMessage())

    keeping = Keeping(level=logging.DEBUG)
    logging.getLogger().addHandler(keeping)
    try:
        return run(*sides, ASKED, out_dir=pages)
    finally:
        logging.getLogger().removeHandler(keeping)


def test_the_moves_damage_and_old_sins_are_told_apart(result: ExpectationResult) -> None:
    assert {(one.expect, one.column): one.verdict for one in result.outcomes} == VERDICTS
    assert not result.held


def test_rows_are_counted_but_never_those_of_personal_columns(result: ExpectationResult) -> None:
    counted = {(one.expect, one.column): (one.source.unexpected, one.target.unexpected) for one in result.outcomes}
    assert counted["ExpectColumnValuesToBeBetween", "joined"] == (4, 5)
    assert counted["ExpectColumnValuesToNotBeNull", "name"] == (None, None)


def test_nobodys_data_and_no_password_lie_in_result_pages_or_log(
    result: ExpectationResult, pages: Path, sides: tuple[Database, Database], logged: list[str]
) -> None:
    told = [json.dumps(result.as_json(), ensure_ascii=False), repr(result), *logged]
    told += [path.read_text("utf-8", "replace") for path in pages.rglob("*") if path.is_file()]
    for secret in ("สมชายลับมาก", "1111111111", sides[0].password, sides[1].password, "Traceback"):
        assert not [text for text in told if secret in text], secret


def test_pages_are_whole_without_scripts_or_the_internet(result: ExpectationResult, pages: Path) -> None:
    html = list(pages.rglob("*.html"))
    assert len(html) > 6
    for path in html:
        page = path.read_text("utf-8")
        assert not re.search(r"<script|(?:href|src)\s*=\s*[\"'](?:https?:)?//", page), path
    index = (pages / "index.html").read_text("utf-8")
    for link in re.findall(r'href="([^"]+)"', index):
        assert (pages / link).is_file(), link
    assert "เสียไปเพราะการย้าย" in index
    assert "index.html" in result.docs
    assert sum((pages / path).stat().st_size for path in result.docs) < 2_000_000


def test_the_gate_is_told_what_broke(result: ExpectationResult) -> None:
    (observed,) = result.observations(NOW)
    assert (observed.answer, observed.observed["broken"]) == (Answer.FAIL, 3)
    for language in ("th", "en"):
        assert text(f"{observed.why}.what", language, **observed.values)


def test_nothing_is_left_open_or_written(result: ExpectationResult, sides: tuple[Database, Database]) -> None:
    for database in sides:
        with database.connect() as connection:
            left = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        assert left == (0,)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (expected("ExpectNothingOfTheKind", column="name"), "expectations.unknown_class"),
        (
            expected("ExpectColumnValuesToNotBeNull", column="name", result_format="COMPLETE"),
            "expectations.refused_setting",
        ),
        (expected("ExpectColumnValuesToNotBeNull", columns="name"), "expectations.wrong_setting"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_query(
    sides: tuple[Database, Database], tmp_path: Path, asked: Expectation, key: str
) -> None:
    with pytest.raises(Stop) as refused:
        run(*sides, [asked], out_dir=tmp_path)
    assert refused.value.key == key
    assert refused.value.render("th")
