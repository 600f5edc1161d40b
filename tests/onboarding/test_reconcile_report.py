"""The law of conservation, and what a gate is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from onboarding.messages import text
from onboarding.observations import Answer
from onboarding.reconcile.large_objects import LargeObjectDifference, LargeObjects
from onboarding.reconcile.merging import Differences, RowDifference
from onboarding.reconcile.objects import ObjectDifference, Objects
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.report import Comparison, Unread, named_rows
from onboarding.reconcile.sequences import SequenceDifference, Sequences
from onboarding.reconcile.tables import TableComparison

NAMES = Pseudonyms(b"a secret of the tests")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECRET = RowDifference("missing", ("1234567890123",), "ab" * 32)


def table(
    source: int | None, target: int | None, differences: Differences = Differences(), **more: object
) -> TableComparison:
    return TableComparison("public.t", source, target, differences=differences, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("compared", "residual", "unaccounted"),
    [
        (table(10, 10), 0, 0),
        (table(10, 8, Differences(missing=2)), 2, 2),
        (table(10, 8, Differences(missing=2), quarantined=2), 0, 0),
        (table(10, 8, Differences(missing=2), quarantined=1, excluded=1), 0, 0),
        (table(10, 10, Differences(missing=1, extra=1)), 0, 2),
        (table(10, 10, Differences(changed=3)), 0, 3),
        (table(10, 11, Differences(duplicated=1)), -1, 1),
        (table(10, 10, quarantined=2), -2, 2),  # set aside, and yet all there: the books do not balance
        (table(10, 10, missing_columns=("lost",)), 0, 10),
        (table(None, None, unknown="QueryCanceled 57014"), None, 1),
    ],
)
def test_source_is_target_and_what_was_set_aside(
    compared: TableComparison, residual: int | None, unaccounted: int
) -> None:
    assert (compared.residual, compared.unaccounted) == (residual, unaccounted)
    assert compared.equal is (unaccounted == 0)


def test_each_part_answers_for_itself() -> None:
    comparison = Comparison(
        (table(10, 9, Differences(missing=1, named=(SECRET,))),),
        Objects({"indexes": 1}, (ObjectDifference("indexes", "public.i", "missing"),)),
        Sequences(1, (SequenceDifference("public.s", "behind", 9, 5),)),
        LargeObjects(1, (LargeObjectDifference(7, "content"),)),
    )
    observed = comparison.observations(NOW)
    assert [one.check for one in observed] == ["rows_match", "objects_match", "sequences_match", "large_objects_match"]
    assert {one.answer for one in observed} == {Answer.FAIL}
    for one in observed:
        for language in ("th", "en"):
            assert text(f"{one.why}.what", language, **one.values)
            assert text(f"{one.why}.remedy", language, **one.values)


def test_what_was_not_read_is_unknown_and_not_equal() -> None:
    comparison = Comparison(
        (table(None, None, unknown="InsufficientPrivilege 42501"),), unread=(Unread("objects", "x"),)
    )
    answers = {one.check: one.answer for one in comparison.observations(NOW)}
    assert answers["rows_match"] == answers["objects_match"] == Answer.UNKNOWN
    assert answers["sequences_match"] == Answer.PASS
    assert not comparison.equal
    assert comparison.unaccounted_rows >= 1


def test_an_equal_copy_passes_and_names_nothing() -> None:
    comparison = Comparison((table(10, 10),))
    assert comparison.equal
    assert {(one.answer, one.why) for one in comparison.observations(NOW)} == {(Answer.PASS, "")}


def test_the_report_holds_no_row_data_but_the_operator_can_ask() -> None:
    comparison = Comparison((table(10, 9, Differences(missing=1, named=(SECRET,))),))
    for told in (json.dumps(comparison.as_json()), json.dumps(comparison.as_json(NAMES)), repr(comparison)):
        assert "1234567890123" not in told and SECRET.digest not in told
    assert [(name, row.key) for name, row in named_rows(comparison)] == [("public.t", ("1234567890123",))]


def test_the_json_report_says_where_a_row_without_a_key_lies() -> None:
    placed = RowDifference("duplicated", (), "cd" * 32, place="(7,3)")
    (row,) = table(9, 10, Differences(duplicated=1, named=(placed,))).as_json(NAMES)["differing_keys"]
    assert row == {"kind": "duplicated", "pseudonym": NAMES.of("cd" * 32), "columns": [], "place": "(7,3)"}
    (keyed,) = table(10, 9, Differences(missing=1, named=(SECRET,))).as_json(NAMES)["differing_keys"]
    assert "place" not in keyed
