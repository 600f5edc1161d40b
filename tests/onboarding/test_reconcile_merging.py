"""Two streams of rows, merged: what is missing, extra, duplicated, changed."""

from __future__ import annotations

from onboarding.reconcile.merging import Differences, RowSeen, merge

COLUMNS = ("a", "b")


def row(key: str, a: int = 0, b: int | None = 0) -> RowSeen:
    return RowSeen(key, (key,), (hash((key, a, b)), 1), (a, b))


def merged(source: list[RowSeen], target: list[RowSeen], *, keyed: bool = True, named: int = 10) -> Differences:
    return merge(source, target, columns=COLUMNS, named=named, keyed=keyed)


def kinds(found: Differences) -> list[tuple[str, tuple[str | None, ...], tuple[str, ...]]]:
    return [(one.kind, one.key, one.columns) for one in found.named]


def test_equal_streams_differ_in_nothing() -> None:
    assert merged([row("a"), row("ข")], [row("a"), row("ข")]) == Differences()


def test_each_kind_is_told_with_its_key_and_columns() -> None:
    source = [row("a"), row("b", 1), row("c"), row("ก", 0, None)]
    target = [row("b", 2), row("c"), row("d"), row("ก", 0, 5)]
    found = merged(source, target)
    assert kinds(found) == [
        ("missing", ("a",), ()),
        ("changed", ("b",), ("a",)),
        ("extra", ("d",), ()),
        ("changed", ("ก",), ("b",)),
    ]
    assert (found.missing, found.extra, found.changed, found.rows) == (1, 1, 2, 4)
    assert found.columns == (("a", 1), ("b", 1))


def test_a_second_copy_of_a_row_is_a_duplicate_and_a_lost_copy_is_missing() -> None:
    once, twice = [row("a")], [row("a"), row("a")]
    assert kinds(merged(once, twice)) == [("duplicated", ("a",), ())]
    assert kinds(merged(twice, once)) == [("missing", ("a",), ())]


def test_rows_without_a_key_never_pair_up_as_changed() -> None:
    found = merged([row("x", 1)], [row("x", 2)], keyed=False)
    assert (found.missing, found.duplicated + found.extra, found.changed) == (1, 1, 0)


def test_counts_are_exact_beyond_the_names() -> None:
    found = merged([row(f"{n:04}") for n in range(500)], [], named=3)
    assert (found.missing, len(found.named)) == (500, 3)


def test_a_key_is_not_in_what_is_printed() -> None:
    found = merged([row("1-2345-67890-12-3")], [])
    assert "1-2345" not in repr(found)
    assert len(found.named[0].digest) == 64


def test_a_row_without_a_key_is_named_by_its_place_on_the_side_that_has_it() -> None:
    source = [RowSeen("x", (), (1, 1), (), "(0,1)"), RowSeen("y", (), (2, 2), (), "(0,2)")]
    target = [RowSeen("y", (), (2, 2), (), "(5,1)"), RowSeen("y", (), (2, 2), (), "(5,2)")]
    found = merged(source, target, keyed=False)
    assert [(one.kind, one.key, one.place) for one in found.named] == [
        ("missing", (), "(0,1)"), ("duplicated", (), "(5,2)")]  # fmt: skip
