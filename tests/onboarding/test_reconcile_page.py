"""The page that a comparison makes: the same figures, in two languages, harmless to open, without row data."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from onboarding.messages import Language, text
from onboarding.reconcile.files_report import FileDifference, FilesComparison
from onboarding.reconcile.large_objects import LargeObjectDifference, LargeObjects
from onboarding.reconcile.merging import Differences, RowDifference
from onboarding.reconcile.objects import ObjectDifference, Objects
from onboarding.reconcile.page import NAMED_ON_PAGE, Occasion, as_document, balances, page, verdict
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.report import Comparison, Excluded, Unread
from onboarding.reconcile.sequences import SequenceDifference, Sequences
from onboarding.reconcile.tables import TableComparison

OCCASION = Occasion(
    "postgresql://owner@old:5432/registry", "postgresql://owner@new:5432/registry",
    datetime(2026, 11, 22, 17, tzinfo=UTC), datetime(2026, 11, 22, 17, 5, tzinfo=UTC),
)  # fmt: skip
NAMES = Pseudonyms(b"a secret of the tests")
CITIZEN = RowDifference("changed", ("1234567890123",), "ab" * 32, ("name",))
PLACED = RowDifference("duplicated", (), "cd" * 32, place="(7,3)")
EVIL = "<script>alert(1)</script>\"'&<b>"


def table(name: str = "public.citizen", source: int = 10, target: int = 10, **more: object) -> TableComparison:
    return TableComparison(name, source, target, **more)  # type: ignore[arg-type]


EQUAL = Comparison((table(),), Objects({"indexes": 3}), excluded=(Excluded("namrong.*", "schema_excluded"),))
DIFFERENT = Comparison(
    (
        table(differences=Differences(changed=1, named=(CITIZEN,)), key=("id",)),
        table("public.visit", 5, 6, differences=Differences(duplicated=1, named=(PLACED,))),
        table("public.short", 4, 4, missing_columns=("lost",), extra_columns=("found",)),
        TableComparison("public.hidden", None, None, unknown="InsufficientPrivilege 42501"),
    ),
    Objects({"indexes": 3}, (ObjectDifference("indexes", "public.by_name", "different", ("valid",)),)),
    Sequences(2, (SequenceDifference("public.doc_no", "behind", 9005, 6005),)),
    LargeObjects(3, (LargeObjectDifference(900002, "content"),)),
    unread=(Unread("objects", "QueryCanceled 57014"),),
)  # fmt: skip


class Tags(HTMLParser):
    """Every element of a page, what it says, and whether each one that opens closes."""

    VOID = frozenset({"meta"})

    def __init__(self, of: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(of)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(" ".join(data.split()))


def cells(html: str, row: str) -> list[str]:
    """What the cells of the table's row say that begins with `row`."""
    found = next(line for line in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if f"<bdi>{row}</bdi></th>" in line)
    return [" ".join(re.sub("<.*?>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", found, re.DOTALL)]


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("found", [EQUAL, DIFFERENT], ids=["equal", "different"])
def test_the_verdict_is_at_the_top_and_nothing_comes_from_outside(found: Comparison, language: Language) -> None:
    html = page(found, OCCASION, language, NAMES)
    tags = Tags(html)
    assert f'<html lang="{language}">' in html
    top = text(f"reconcile.page.verdicts.{verdict(found)}", language)
    assert [tag for tag, _ in tags.seen].count("h1") == 1
    assert top in tags.said
    assert not {"script", "link", "img", "iframe", "a", "form"} & {tag for tag, _ in tags.seen}
    assert not {"src", "href", "onclick", "style"} & {name for _, attributes in tags.seen for name in attributes}
    assert not re.search(r"url\(|@import|https?:", html)
    for said in (OCCASION.source, OCCASION.target, hashlib.sha256(as_document(found, NAMES).encode()).hexdigest()):
        assert said in html
    assert ("23 พ.ย. 2569 00:05:00" if language == "th" else "23 Nov 2026 00:05:00") in html


def test_the_law_of_every_table_is_told() -> None:
    html = page(DIFFERENT, OCCASION, "en", NAMES)
    assert cells(html, "public.citizen") == ["10", "10", "0", "0", "0", "✓", "0", "1", "✗ 1 unaccounted for"]
    assert cells(html, "public.visit")[:6] == ["5", "6", "0", "0", "1", "✓"]
    assert cells(html, "public.hidden") == [
        "–", "–", "–", "–", "–", "?", "0", "–", "not read: InsufficientPrivilege 42501"]  # fmt: skip
    for said in ("public.by_name", "9,005 → 6,005", "900002", "lost", "found", "QueryCanceled 57014", "ctid (7,3)"):
        assert said in html


@pytest.mark.parametrize(
    ("source", "target", "differences", "struck"),
    [
        (10, 10, Differences(), True),
        (10, 8, Differences(missing=2), True),
        (10, 11, Differences(missing=1, extra=1, duplicated=1), True),
        (10, 10, Differences(changed=4), True),
        (10, 8, Differences(missing=1), False),
        (10, 11, Differences(), False),
        (None, None, Differences(), None),
    ],
)
def test_a_balance_is_struck_only_when_what_differs_explains_the_counts(
    source: int | None, target: int | None, differences: Differences, struck: bool | None
) -> None:
    compared = TableComparison("public.t", source, target, differences=differences)
    assert balances(compared) is struck
    if struck is not None:
        assert cells(page(Comparison((compared,)), OCCASION, "en", NAMES), "public.t")[5] == ("✓" if struck else "✗")


def test_keys_are_in_clear_only_when_asked_for_and_then_it_says_so() -> None:
    by_name, in_clear = page(DIFFERENT, OCCASION, "en", NAMES), page(DIFFERENT, OCCASION, "en", NAMES, keys=True)
    warning = text("reconcile.page.in_clear", "en")
    assert ("1234567890123" in by_name, NAMES.of("ab" * 32) in by_name, warning in by_name) == (False, True, False)
    assert "ab" * 32 not in by_name
    assert ("id = 1234567890123" in in_clear, warning in in_clear) == (True, True)


def test_whatever_names_and_keys_hold_is_text() -> None:
    row = RowDifference("missing", (EVIL,), "ab" * 32, (EVIL,))
    found = Comparison(
        (table(EVIL, 2, 1, differences=Differences(missing=1, named=(row,)), key=(EVIL,), extra_columns=(EVIL,)),),
        Objects({EVIL: 1}, (ObjectDifference(EVIL, EVIL, "extra", (EVIL,)),)),
        Sequences(1, (SequenceDifference(EVIL, "missing"),)),
        excluded=(Excluded(EVIL, "foreign_table"),),
        unread=(Unread("sequences", EVIL),),
    )
    files = FilesComparison(1, 0, 1, differences=(FileDifference("missing", EVIL.encode()),))
    for one in (found, files):
        html = page(one, replace(OCCASION, source=EVIL, target=EVIL), "th", NAMES, keys=True)
        assert EVIL in Tags(html).said  # whole and unbroken, as text
        assert not {"script", "b"} & {tag for tag, _ in Tags(html).seen}


def test_a_page_names_so_many_rows_and_counts_the_others() -> None:
    rows = tuple(RowDifference("missing", (str(n),), f"{n:064}") for n in range(NAMED_ON_PAGE + 5))
    html = page(
        Comparison((table(differences=Differences(missing=700, named=rows), key=("id",)),)), OCCASION, "en", NAMES
    )
    assert html.count(text("reconcile.page.problems.missing", "en")) == NAMED_ON_PAGE
    assert "500 more" in html


def test_what_was_not_read_is_not_proven_and_what_differs_besides_differs() -> None:
    unread = Comparison((table(),), unread=(Unread("objects", "x"),))
    assert (verdict(unread), verdict(EQUAL), verdict(DIFFERENT)) == ("unknown", "equal", "differs")
    html = page(unread, OCCASION, "en", NAMES)
    objects = html.partition("<h2>Objects</h2>")[2].partition("</section>")[0]
    assert text("reconcile.page.all_equal", "en") not in objects


def test_files_have_their_page() -> None:
    missing, unread = FileDifference("missing", "สมชาย ใจดี.pdf".encode()), FileDifference("unread", b"\xff")
    found = FilesComparison(3, 2, 900, {"symlink": 4}, (missing, unread))
    by_name, in_clear = page(found, OCCASION, "th", NAMES), page(found, OCCASION, "th", NAMES, keys=True)
    assert NAMES.of(missing.digest) in by_name and missing.digest not in by_name
    assert "สมชาย" not in by_name
    assert "สมชาย ใจดี.pdf" in in_clear
    assert '<span class="ok">✓</span>' in by_name
    assert text("reconcile.page.entries.symlink", "th") in by_name
    assert [verdict(one) for one in (found, FilesComparison(1, 1, 1), replace(found, differences=(unread,)))] == [
        "differs", "equal", "unknown"]  # fmt: skip
