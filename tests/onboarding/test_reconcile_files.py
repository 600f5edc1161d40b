"""A folder against a bucket (moto's S3), both ways."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from onboarding.errors import OnboardingError, Stop
from onboarding.messages import text
from onboarding.observations import Answer
from onboarding.reconcile.files import compare_files, named_files
from onboarding.reconcile.files_stamps import NONE, SETTLED_S
from sandbox.agencies import folder
from sandbox.agencies.profiles import PROFILES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BUCKET, PREFIX = "namrong-p05", "files/"


@pytest.fixture(scope="module")
def moto_s3() -> Iterator[S3Client]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def s3(moto_s3: S3Client) -> Iterator[S3Client]:
    yield moto_s3
    for item in moto_s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        moto_s3.delete_object(Bucket=BUCKET, Key=item["Key"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "ย่อย").mkdir(parents=True)
    for name, body in {
        "a.txt": b"1",
        "A.txt": b"2",
        "ย่อย/น้ำ.txt": b"3",
        "ย่อย/นํ้า.txt": b"4",
        "empty": b"",
        "z": b"0" * 9,
    }.items():
        (root / name).write_bytes(body)
    return root


def upload(root: Path, s3: S3Client) -> None:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            s3.put_object(Bucket=BUCKET, Key=PREFIX + str(path.relative_to(root)), Body=path.read_bytes())


def test_a_whole_copy_is_equal(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    s3.put_object(Bucket=BUCKET, Key="_manifest/files/1.jsonl", Body=b"not under the prefix")
    found = compare_files(root, s3, BUCKET, PREFIX)
    assert found.equal
    assert (found.source_files, found.target_files, found.residual, found.unaccounted_files) == (6, 6, 0, 0)
    assert found.observations(NOW)[0].answer == Answer.PASS


def test_missing_extra_and_changed_are_told_apart_and_named(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    s3.delete_object(Bucket=BUCKET, Key=PREFIX + "a.txt")
    s3.put_object(Bucket=BUCKET, Key=PREFIX + "nobody", Body=b"")
    s3.put_object(Bucket=BUCKET, Key=PREFIX + "z", Body=b"0" * 8 + b"1")  # the same size
    s3.put_object(Bucket=BUCKET, Key=PREFIX + "empty", Body=b"tail")
    found = compare_files(root, s3, BUCKET, PREFIX)
    assert sorted(named_files(found)) == [
        ("changed", "empty"),
        ("changed", "z"),
        ("extra", "nobody"),
        ("missing", "a.txt"),
    ]
    assert (found.unaccounted_files, found.equal) == (4, False)
    (observed,) = found.observations(NOW)
    assert (observed.answer, observed.observed) == (Answer.FAIL, 4)
    for language in ("th", "en"):
        assert text(f"{observed.why}.what", language, **observed.values)


def test_what_the_mover_says_is_not_asked(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    true_hash = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    s3.put_object(Bucket=BUCKET, Key=PREFIX + "a.txt", Body=b"X", Metadata={"sha256": true_hash})
    assert list(named_files(compare_files(root, s3, BUCKET, PREFIX))) == [("changed", "a.txt")]


def test_links_and_special_files_are_excluded_with_a_reason(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    (root / "out").symlink_to("/etc/hostname")
    (root / "round").symlink_to("..")
    os.mkfifo(root / "pipe")
    found = compare_files(root, s3, BUCKET, PREFIX)
    assert found.equal
    assert found.excluded == {"fifo": 1, "symlink": 2}


def test_a_name_that_is_no_utf8_cannot_have_arrived(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    with open(os.fsencode(root) + "/ชื่อ".encode("tis-620"), "wb") as odd:  # noqa: PTH123 - bytes
        odd.write(b"x")
    assert [one.problem for one in compare_files(root, s3, BUCKET, PREFIX).differences] == ["missing"]


def test_an_empty_folder_proves_nothing(tmp_path: Path, s3: S3Client) -> None:
    assert compare_files(tmp_path, s3, BUCKET, PREFIX).observations(NOW)[0].answer == Answer.UNKNOWN
    with pytest.raises(Stop):
        compare_files(tmp_path / "not mounted", s3, BUCKET, PREFIX)
    with pytest.raises(OnboardingError):
        compare_files(tmp_path, s3, "no-such-bucket", PREFIX)


class TakingAway:
    """S3 as it is, but while its objects are listed a file of the source goes away."""

    def __init__(self, s3: S3Client, file: Path) -> None:
        self._s3, self._file = s3, file

    def get_paginator(self, operation: str) -> object:
        self._file.unlink()
        return self._s3.get_paginator(operation)  # type: ignore[call-overload]

    def get_object(self, **asked: str) -> object:
        return self._s3.get_object(**asked)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_read_is_unknown_and_not_proven(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    found = compare_files(root, TakingAway(s3, root / "z"), BUCKET, PREFIX)  # type: ignore[arg-type]
    assert list(named_files(found)) == [("unread", "z")]
    (observed,) = found.observations(NOW)
    assert (observed.answer, found.unaccounted_files, found.equal) == (Answer.UNKNOWN, 1, False)
    assert text(f"{observed.why}.what", "th", **observed.values)


def test_a_file_that_vanishes_or_becomes_a_link_is_not_proven(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    (root / "z").unlink()
    (root / "z").symlink_to("/etc/hostname")
    assert list(named_files(compare_files(root, s3, BUCKET, PREFIX))) == [("extra", "z")]


def test_no_name_goes_into_the_report(root: Path, s3: S3Client) -> None:
    found = compare_files(root, s3, BUCKET, PREFIX)
    assert found.unaccounted_files == 6
    assert "น้ำ" not in json.dumps(found.as_json(), ensure_ascii=False) + repr(found)


def test_an_agencys_odd_names_all_compare(tmp_path: Path, s3: S3Client) -> None:
    root = tmp_path / "agency"
    count = folder.make(root, PROFILES["p02"], seed=7, scale=0.06)
    upload(root, s3)
    found = compare_files(root, s3, BUCKET, PREFIX)
    assert (found.source_files, found.target_files, found.unaccounted_files) == (count, count, 0), list(
        named_files(found)
    )
    assert found.excluded == {"symlink": 4}


class Counting:
    """S3 as it is; which objects were fetched is written down."""

    def __init__(self, s3: S3Client) -> None:
        self._s3, self.fetched = s3, list[str]()

    def get_object(self, **asked: str) -> object:
        self.fetched.append(asked["Key"].removeprefix(PREFIX))
        return self._s3.get_object(**asked)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._s3, name)


def in_a_while() -> float:
    """When nothing that a test has just made is young any more."""
    return time.time() + SETTLED_S + 1


def test_what_still_is_as_it_was_proven_is_not_read_again(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    whole = compare_files(root, s3, BUCKET, PREFIX, proven=NONE, began=in_a_while())
    assert (len(whole.stamps), whole.unchanged) == (6, 0)
    counting = Counting(s3)
    again = compare_files(root, counting, BUCKET, PREFIX, proven=whole.stamps, began=in_a_while())  # type: ignore[arg-type]
    assert (counting.fetched, again.unchanged, again.equal) == ([], 6, True)
    assert again.stamps == whole.stamps
    assert again.as_json()["unchanged"] == 6


def rewrite(path: Path) -> None:
    """The same size, and the modification time put back, as a careless or a cunning program leaves it."""
    before = path.stat()
    path.write_bytes(b"1" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_another(path: Path) -> None:
    """The same by a new file in its place."""
    before, beside = path.stat(), path.with_name("beside")
    beside.write_bytes(b"1" * before.st_size)
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.replace(path)


@pytest.mark.parametrize("change", [rewrite, replace_by_another])
def test_a_file_that_was_changed_behind_its_times_is_read_again(
    root: Path, s3: S3Client, change: Callable[[Path], None]
) -> None:
    upload(root, s3)
    whole = compare_files(root, s3, BUCKET, PREFIX, proven=NONE, began=in_a_while())
    change(root / "z")
    found = compare_files(root, s3, BUCKET, PREFIX, proven=whole.stamps, began=in_a_while())
    assert list(named_files(found)) == [("changed", "z")]
    assert (found.unchanged, set(found.stamps)) == (5, set(whole.stamps) - {"z"})


def test_an_object_that_was_put_there_since_is_read_again(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    whole = compare_files(root, s3, BUCKET, PREFIX, proven=NONE, began=in_a_while())
    s3.put_object(Bucket=BUCKET, Key=PREFIX + "z", Body=b"1" * 9)
    found = compare_files(root, s3, BUCKET, PREFIX, proven=whole.stamps, began=in_a_while())
    assert (list(named_files(found)), found.unchanged) == ([("changed", "z")], 5)


def test_a_file_that_was_changed_a_moment_ago_is_read_each_time(root: Path, s3: S3Client) -> None:
    upload(root, s3)
    whole = compare_files(root, s3, BUCKET, PREFIX, proven=NONE, began=in_a_while())
    assert compare_files(root, s3, BUCKET, PREFIX, proven=NONE).stamps == {}
    assert compare_files(root, s3, BUCKET, PREFIX, proven=whole.stamps).unchanged == 0
