"""A citizen's number cannot be guessed back from what a report or the ledger keeps of it."""

from __future__ import annotations

import hashlib

import pytest

from onboarding.reconcile.pseudonyms import Pseudonyms

KEY = hashlib.sha256(b"1234567890121").hexdigest()


def test_the_same_row_has_the_same_name_under_one_secret_only() -> None:
    ours = Pseudonyms.derived("secret", "p05")
    assert ours.of(KEY) == Pseudonyms.derived("secret", "p05").of(KEY) != ours.of(KEY[::-1])
    others = [Pseudonyms.derived("secret", "p02"), Pseudonyms.derived("Secret", "p05"), Pseudonyms.forgotten()]
    assert len({names.of(KEY) for names in (ours, *others)}) == 4


def test_two_reports_share_no_names() -> None:
    assert Pseudonyms.forgotten().of(KEY) != Pseudonyms.forgotten().of(KEY)


def test_no_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        Pseudonyms.derived("", "p05")
