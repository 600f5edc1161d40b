"""The dags folder parsed by Airflow itself in clean processes; no server, no database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from airflow_process import MISSPELT, SAMPLES, Parsed, airflow_process, answer_of

BY_HAND = "traffic: {mode: manual, record: service.go.th.example, ttl_s: 60, step: PT0S, change_within: PT10M}"


@pytest.fixture(scope="session")
def folder_with_a_bad_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pilots, in one of which a field is misspelt."""
    folder = tmp_path_factory.mktemp("pilots")
    for sample in SAMPLES.glob("*.yaml"):
        (folder / sample.name).write_bytes(sample.read_bytes())
    bad = folder / "p05.yaml"
    bad.write_text(bad.read_text(encoding="utf-8").replace("    engine: copy\n", MISSPELT, 1), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def folder_named_like_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pilot whose workloads are called like tasks of the journey."""
    folder = tmp_path_factory.mktemp("pilots")
    text = (SAMPLES / "p02.yaml").read_text(encoding="utf-8")
    renamed = text.replace("name: registry\n", "name: freeze\n").replace("name: documents\n", "name: back_up\n")
    assert renamed.count("name: freeze\n") == renamed.count("name: back_up\n") == 1
    (folder / "p02.yaml").write_text(renamed, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def folder_turned_by_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pilots, one by each engine, whose names are in zones that are not in Route 53."""
    folder = tmp_path_factory.mktemp("pilots")
    for pilot in ("p02", "p03"):
        text = (SAMPLES / f"{pilot}.yaml").read_text(encoding="utf-8")
        by_hand, turned = re.subn(r"traffic:( \{.*\}|(\n    .*)+)", BY_HAND, text)
        assert turned == 1
        (folder / f"{pilot}.yaml").write_text(by_hand, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def parsings(
    folder_with_a_bad_one: Path, folder_named_like_tasks: Path, folder_turned_by_people: Path
) -> dict[str, list[Parsed]]:
    """Each folder of manifests parsed; the samples by two processes whose sets and dicts hash differently."""
    program = str(Path(__file__).with_name("parse.py"))
    folders = list(map(str, (SAMPLES, folder_with_a_bad_one, folder_named_like_tasks, folder_turned_by_people)))
    first = airflow_process([program, *folders], PYTHONHASHSEED="1")
    second = airflow_process([program, str(SAMPLES)], PYTHONHASHSEED="4242")
    samples, bad, names, by_people = answer_of(first)
    return {"samples": [samples, *answer_of(second)], "bad": [bad], "names": [names], "people": [by_people]}


@pytest.fixture(scope="session")
def samples(parsings: dict[str, list[Parsed]]) -> Parsed:
    return parsings["samples"][0]


@pytest.fixture(scope="session")
def with_a_bad_one(parsings: dict[str, list[Parsed]]) -> Parsed:
    return parsings["bad"][0]


@pytest.fixture(scope="session")
def turned_by_people(parsings: dict[str, list[Parsed]]) -> Parsed:
    return parsings["people"][0]
