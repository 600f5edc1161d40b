"""A service in use: its program writes where its name leads, rests when asked, and is judged by what it was told."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sandbox_process import ask, running
from whole_journey import agencies

from sandbox.agencies import web_front
from sandbox.agencies.database import WITNESS
from sandbox.agencies.in_use import LOG, at_rest
from sandbox.agencies.profiles import PROFILES
from sandbox.witness.judge import Verdict, judge, read

PILOT = "p03"
WITHIN_S = 60


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def side(cloud: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with agencies(tmp_path_factory.mktemp("agencies"), cloud, PILOT, 0.001, in_use=True) as told:
        yield told["pilots"][PILOT]


def until_it_wrote(log: Path, lines: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not log.exists() or len(log.read_text().splitlines()) < lines:
        assert time.monotonic() < deadline, "the program does not write"
        time.sleep(0.1)


def database(side: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=side["address"], port=side["port"], dbname=side["database"], autocommit=True,
        options=f"-c search_path={WITNESS}", **side["owner"],
    )  # fmt: skip


def verdict(side: dict[str, Any], log: Path) -> Verdict:
    with database(side) as connection:
        return judge(read(log), connection, [side["address"]])


def test_it_rests_when_asked_and_every_write_it_was_told_of_is_there(side: dict[str, Any]) -> None:
    folder = Path(side["program"])
    until_it_wrote(folder / LOG, 20)
    deadline = time.monotonic() + WITHIN_S
    with at_rest(folder, patience=lambda: time.monotonic() < deadline) as log:
        before = log.read_text()
        time.sleep(1)
        assert log.read_text() == before
        found = verdict(side, log)
        assert found.clean and found.acknowledged >= 20
    until_it_wrote(folder / LOG, len(before.splitlines()) + 5)


def test_a_lost_write_is_seen(side: dict[str, Any]) -> None:
    folder = Path(side["program"])
    until_it_wrote(folder / LOG, 20)
    deadline = time.monotonic() + WITHIN_S
    with at_rest(folder, patience=lambda: time.monotonic() < deadline) as log, database(side) as connection:
        gone = connection.execute(
            "DELETE FROM entry WHERE id = (SELECT min(id) FROM entry) RETURNING number"
        ).fetchone()
        assert gone is not None
        assert [f"entry {gone[0]} (acked): 0 of 1"] == verdict(side, log).lost


def test_a_program_that_does_not_rest_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), at_rest(tmp_path, patience=lambda: False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_its_front_end_says_how_its_database_is_wherever_the_name_leads(
    cloud: dict[str, Any], side: dict[str, Any]
) -> None:
    def page(path: str = web_front.PAGE) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{side['address']}:{web_front.PORT}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    assert page() == (200, f'{{"database": "{side["address"]}"}}')
    assert page("/elsewhere")[0] == 404
    nowhere = side["address"].rpartition(".")[0] + ".250"
    ask(cloud, "names", {PROFILES[PILOT].web: nowhere})
    assert page() == (503, '{"reason": "OperationalError"}')
