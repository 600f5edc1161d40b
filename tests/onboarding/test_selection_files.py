"""Candidates and criteria as files: the shipped ones hold what was promised, bad ones are refused with their line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from selections import CRITERIA, SHIPPED, candidate, criterion

from launcher import manifest_docs
from onboarding.checked_yaml import BadFile, parse
from onboarding.errors import Stop
from onboarding.manifests import load_folder
from onboarding.selection.candidates import CANDIDATES_FILE, Candidates
from onboarding.selection.criteria import CRITERIA_FILE, FULL, Criteria, worth
from onboarding.selection.proposal import read_files

MANIFESTS = load_folder(CANDIDATES_FILE.parent / "pilots").manifests
BY_ID = {one.id: one for one in SHIPPED.candidates}


def test_there_are_twelve_and_all_say_that_they_are_fictional() -> None:
    assert [one.id for one in SHIPPED.candidates] == [f"p{number:02}" for number in range(1, 13)]
    for one in SHIPPED.candidates:
        assert one.fictional and "สมมติ" in one.name.th and "fictional" in one.name.en
        assert "สมมติ" in one.agency.name.th


def test_every_criterion_is_dated_and_weights_come_to_a_hundred() -> None:
    assert sum(one.weight for one in CRITERIA.criteria) == 100
    assert CRITERIA.places == 10 and CRITERIA.swing_percent == 20
    heaviest = max(CRITERIA.criteria, key=lambda one: one.weight)
    assert heaviest.id == "speed" and "memorandum" in heaviest.source.casefold()


@pytest.mark.parametrize("pilot", MANIFESTS)
def test_a_pilot_is_the_service_that_was_a_candidate(pilot: str) -> None:
    manifest, offered = MANIFESTS[pilot], BY_ID[pilot]
    assert (manifest.name, manifest.agency) == (offered.name, offered.agency)
    assert (manifest.data.classification, manifest.data.impact) == (offered.data.classification, offered.data.impact)
    assert manifest.region == offered.region


@pytest.mark.parametrize(
    ("scale", "facts", "points"),
    [
        ({"kind": "linear", "fact": "delivery_weeks", "worst": 52, "best": 4}, {"delivery_weeks": 4}, FULL),
        ({"kind": "linear", "fact": "delivery_weeks", "worst": 52, "best": 4}, {"delivery_weeks": 28}, 500),
        ({"kind": "linear", "fact": "delivery_weeks", "worst": 52, "best": 4}, {"delivery_weeks": 90}, 0),
        ({"kind": "linear", "fact": "machines", "worst": 0, "best": 8}, {"machines": 100}, FULL),
        ({"kind": "log", "fact": "uses_per_year", "worst": 1000, "best": 10_000_000}, {"uses_per_year": 100_000}, 500),
        ({"kind": "log", "fact": "uses_per_year", "worst": 1000, "best": 10_000_000}, {"uses_per_year": 0}, 0),
        ({"kind": "log", "fact": "data_gib", "worst": 10_000, "best": 1}, {"data_gib": 0.5}, FULL),
        ({"kind": "log", "fact": "data_gib", "worst": 10_000, "best": 1}, {"data_gib": 100.0}, 500),
        ({"kind": "table", "fact": "engines", "points": {"copy": 100, "mgn": 40}}, {"engines": ("copy", "mgn")}, 400),
        ({"kind": "table", "fact": "engines", "points": {"copy": 100}}, {"engines": ("copy", "dms")}, 0),
        ({"kind": "table", "fact": "classification", "points": {"internal": 70}}, {}, 700),
        ({"kind": "table", "fact": "impact", "points": {"moderate": 60}}, {}, 600),
        ({"kind": "share", "fact": "ready", "of": ["owner", "staff", "backup"]}, {"ready": ("owner", "window")}, 333),
        ({"kind": "share", "fact": "ready", "of": ["owner"]}, {"ready": ()}, 0),
    ],
)
def test_what_a_fact_is_worth(scale: dict[str, object], facts: dict[str, object], points: int) -> None:
    assert worth(criterion(scale), candidate(**facts)) == points


@pytest.mark.parametrize(("file", "model"), [(CANDIDATES_FILE, Candidates), (CRITERIA_FILE, Criteria)])
def test_the_schema_takes_the_file_and_the_file_names_it(file: Path, model: type) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    named = (file.parent / first.partition("$schema=")[2]).resolve()
    assert named.read_text(encoding="utf-8") == manifest_docs.schema(model)
    check = jsonschema.Draft202012Validator(json.loads(manifest_docs.schema(model)))
    content = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=date.isoformat))
    assert list(check.iter_errors(content)) == []
    assert list(check.iter_errors(content | {"more": 1})) != []


CANDIDATES_TEXT = CANDIDATES_FILE.read_text(encoding="utf-8")
CRITERIA_TEXT = CRITERIA_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("model", "source", "old", "new", "key"),
    [
        (Candidates, CANDIDATES_TEXT, "note: Thai", "nota: x\n    note: Thai", "unknown_field"),
        (Candidates, CANDIDATES_TEXT, "delivery_weeks: 6", "delivery_weeks: soon", "bad_value"),
        (Candidates, CANDIDATES_TEXT, "id: p02", "id: p01", "bad_value"),
        (Candidates, CANDIDATES_TEXT, "data_gib: 18", "data_gib: .nan", "bad_value"),
        (Candidates, CANDIDATES_TEXT, "engines: [upload, copy]", "engines: [copy, copy]", "bad_value"),
        (Candidates, CANDIDATES_TEXT, "classification: open", "classification: public", "bad_value"),
        (Candidates, CANDIDATES_TEXT, "fictional: true", "fictional: &a true", None),
        (Candidates, CANDIDATES_TEXT, "fictional: true", "fictional: !!python/name:os.system x", "tag"),
        (Criteria, CRITERIA_TEXT, "weight: 30", "weight: 0", "bad_value"),
        (Criteria, CRITERIA_TEXT, "weight: 30", "weight: 30\n    weight: 3", "duplicate_key"),
        (Criteria, CRITERIA_TEXT, "id: readiness", "id: speed", "bad_value"),
        (Criteria, CRITERIA_TEXT, "worst: 52, best: 4", "worst: 4, best: 4", "bad_value"),
        (Criteria, CRITERIA_TEXT, "worst: 1000, best", "worst: 0, best", "bad_value"),
        (Criteria, CRITERIA_TEXT, "dated: 2022-02-25", "dated: 2565-02-25", "buddhist_era"),
        (Criteria, CRITERIA_TEXT, "fact: delivery_weeks", "fact: beauty", "bad_value"),
        (Criteria, CRITERIA_TEXT, "confirmed_by: [approver1, approver2]", "confirmed_by: []", "bad_value"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(model: type, source: str, old: str, new: str, key: str | None) -> None:
    changed = source.replace(old, new, 1)
    assert changed != source
    if key is None:  # an anchor that nobody uses is harmless
        assert parse(changed, "f.yaml", model)
        return
    with pytest.raises(BadFile) as caught:
        parse(changed, "f.yaml", model)
    problem = caught.value.problems[0]
    assert problem.key == key
    assert problem.line > 0 and problem.render("th") != problem.render("en")


def test_a_bad_file_is_told_as_a_stop_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "candidates.yaml"
    bad.write_text("version: 1\ncandidates: []\n", encoding="utf-8")
    with pytest.raises(Stop) as stopped:
        read_files(candidates=bad)
    assert stopped.value.key == "selection.bad_file" and "candidates.yaml:1" in stopped.value.render("th")
