"""Files to S3 over the wire to the sandbox: byte for byte, write-once, the same after any death."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from onboarding.aws import Cloud
from onboarding.errors import Stop, TryAgain
from onboarding.files import objects
from onboarding.files.notes import manifest_key, read_notes_around
from onboarding.files.plan import Batch, plan
from onboarding.files.scan import SourceFile
from onboarding.files.sources import SINGLE_PUT_BYTES
from onboarding.files.upload import BatchResult, clean_up, move_unit, status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

INCLUDE = Path(__file__).parents[2] / "include"
NAMES = [
    "A.txt", "a.txt", "caf\u00e9.txt", "cafe\u0301.txt", "น\u0e49\u0e33.txt", "น\u0e4d\u0e49\u0e32.txt",
    "มี ช่อง ว่าง .txt ",
    "100%20ละ+&?#=;:@,.txt", "a\\b.txt", "สอง\nบรรทัด.txt", "<b>&amp;'\"$HOME.txt", "\u202eกลับ.txt", "ช้าง\U0001f418",
    "ลึก/ลง/ไป.txt", "-rf", "~", "ก" * 84 + ".md",
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    s3: S3Client
    bucket: str
    environment: dict[str, str]

    def objects(self, prefix: str = "documents/") -> dict[str, bytes]:
        keys = [found.key for found in objects.listed(self.s3, self.bucket, prefix)]
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture
def target(sandbox_cloud: dict[str, Any]) -> Iterator[Target]:
    session = boto3.Session(sandbox_cloud["access_key"], sandbox_cloud["secret_key"], region_name="ap-southeast-7")
    endpoint = sandbox_cloud["aws_endpoint_url"]
    s3 = Cloud(session, "ap-southeast-7", endpoint).client("s3")
    bucket = f"files-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-7"})
    environment = {
        "AWS_ACCESS_KEY_ID": sandbox_cloud["access_key"], "AWS_SECRET_ACCESS_KEY": sandbox_cloud["secret_key"],
        "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "ap-southeast-7", "BUCKET": bucket,
    }  # fmt: skip
    yield Target(s3, bucket, environment)
    s3.close()


def _fill(root: Path, *names: str) -> dict[str, bytes]:
    content = {name: f"เนื้อหาของ {name}".encode() for name in names}
    for name, body in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    return content


def _move(root: Path, target: Target, batch: Batch, **options: Any) -> BatchResult:
    return move_unit(root, batch, target.s3, target.bucket, prefix="documents/", **options)


def _keyed(content: dict[str, bytes]) -> dict[str, bytes]:
    return {f"documents/{name}": body for name, body in content.items()}


def test_every_byte_arrives_under_the_files_own_name(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, *NAMES)
    (tmp_path / "ว่าง").write_bytes(b"")
    content["ว่าง"] = b""
    batches = plan(tmp_path, 3)
    results = [_move(tmp_path, target, batch) for batch in batches]
    assert target.objects() == _keyed(content)
    assert sum(r.files for r in results) == len(content)
    assert sum(r.bytes for r in results) == sum(map(len, content.values()))
    assert sum(r.skipped for r in results) == 0
    reached = status(target.s3, target.bucket, "documents/", batches)
    assert (reached.complete, reached.planned, reached.present) == (True, len(content), len(content))


def test_the_manifest_tells_what_was_read(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, "ก.txt", "สอง\nบรรทัด")
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    notes = target.objects("_manifest/")
    assert list(notes) == ["_manifest/documents/batch-0001.jsonl"] == [manifest_key("documents/", "batch-0001")]
    lines = [json.loads(line) for line in notes["_manifest/documents/batch-0001.jsonl"].decode().splitlines()]
    assert lines == [
        {
            "path": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest(),
            "mtime_ns": (tmp_path / name).stat().st_mtime_ns,
            "etag": target.s3.head_object(Bucket=target.bucket, Key=f"documents/{name}")["ETag"],
        }
        for name, body in sorted(content.items(), key=lambda item: item[0].encode())
    ]  # fmt: skip


def test_a_second_run_adopts_and_sends_nothing(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, *NAMES)
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    before = target.s3.head_object(Bucket=target.bucket, Key="documents/A.txt")["LastModified"]
    time.sleep(1.1)  # S3 tells times to the second
    asked: list[str] = []
    target.s3.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    again = _move(tmp_path, target, batch)
    assert sorted(asked) == ["GetObject", "ListObjectsV2", "ListObjectsV2", "PutObject"]  # its manifest, not its files
    assert again == BatchResult(len(content), sum(map(len, content.values())), skipped=len(content))
    assert target.s3.head_object(Bucket=target.bucket, Key="documents/A.txt")["LastModified"] == before


def test_a_batch_asks_for_its_own_stretch_of_keys_and_its_own_notes(tmp_path: Path, target: Target) -> None:
    """Otherwise a folder of millions is listed as often as it has batches."""
    content = _fill(tmp_path, *NAMES, *(f"แฟ้ม {n:03d}" for n in range(60)))
    batches = plan(tmp_path, 8)
    for batch in batches:
        _move(tmp_path, target, batch)
    for batch in batches:
        first, last = batch.files[0].path, batch.files[-1].path
        between = f"documents/{first}", f"documents/{last}"
        listed = [found.key for found in objects.listed(target.s3, target.bucket, "documents/", between)]
        assert listed == [f"documents/{file.path}" for file in batch.files]
        notes = read_notes_around(target.s3, target.bucket, "documents/", batch.id, (first, last))
        assert list(notes) == [file.path for file in batch.files]
    assert target.objects() == _keyed(content)


@pytest.mark.parametrize("others", [3, 8, 20])
def test_divided_otherwise_what_was_noted_is_still_known(tmp_path: Path, target: Target, others: int) -> None:
    content = _fill(tmp_path, *NAMES, *(f"แฟ้ม {n:03d}" for n in range(60)))
    for batch in plan(tmp_path, 5):
        _move(tmp_path, target, batch)
    (tmp_path / "0 ใหม่").write_bytes(b"new")  # so that every stretch begins elsewhere
    known: list[str] = []
    for batch in plan(tmp_path, others):
        ends = batch.files[0].path, batch.files[-1].path
        notes = read_notes_around(target.s3, target.bucket, "documents/", batch.id, ends)
        known += [file.path for file in batch.files if file.path in notes]
        if others == 3:
            _move(tmp_path, target, batch)
    assert sorted(known) == sorted(content)


def test_an_object_that_others_put_there_is_adopted_only_when_it_is_the_same(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, "same", "other")
    target.s3.put_object(Bucket=target.bucket, Key="documents/same", Body=content["same"], ChecksumAlgorithm="CRC32")
    different = content["other"][:-1] + b"!"  # as long as ours
    target.s3.put_object(Bucket=target.bucket, Key="documents/other", Body=different, ChecksumAlgorithm="CRC32")
    (batch,) = plan(tmp_path, 1)
    with pytest.raises(Stop) as refusal:
        _move(tmp_path, target, batch)
    assert refusal.value.key == "files.different"
    assert "documents/other" in refusal.value.render("en")
    assert target.objects()["documents/other"] == different
    assert _move(tmp_path, target, batch, replace=True) == BatchResult(2, sum(map(len, content.values())), skipped=1)
    assert target.objects() == _keyed(content)


def test_what_was_changed_behind_our_back_is_found_in_spite_of_the_manifest(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, "ก", "ข")
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    target.s3.put_object(Bucket=target.bucket, Key="documents/ก", Body=content["ก"][:-1] + b"!")
    with pytest.raises(Stop) as refusal:
        _move(tmp_path, target, batch)
    assert refusal.value.key == "files.different"
    target.s3.put_object(Bucket=target.bucket, Key="documents/ก", Body=content["ก"])
    (tmp_path / "ข").write_bytes(content["ข"][:-1] + b"!")  # and when it is the source that changed
    with pytest.raises(Stop) as refusal:
        _move(tmp_path, target, batch)
    assert "documents/ข" in refusal.value.render("en")
    assert _move(tmp_path, target, batch, replace=True).skipped == 1
    assert target.objects()["documents/ข"] == content["ข"][:-1] + b"!"


def test_an_object_that_appears_between_listing_and_writing_is_not_overwritten(tmp_path: Path, target: Target) -> None:
    _fill(tmp_path, "ก")
    (batch,) = plan(tmp_path, 1)

    def arrive(**_: Any) -> None:
        target.s3.meta.events.unregister("before-call.s3.PutObject", arrive)
        target.s3.put_object(Bucket=target.bucket, Key="documents/ก", Body=b"theirs")

    target.s3.meta.events.register("before-call.s3.PutObject", arrive)
    with pytest.raises(Stop) as refusal:
        _move(tmp_path, target, batch)
    assert refusal.value.key == "files.different"
    assert target.objects() == {"documents/ก": b"theirs"}


def test_what_the_network_garbles_is_refused_by_s3_and_sent_again(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, "ก")
    (batch,) = plan(tmp_path, 1)
    garbled = []

    def garble(request: Any, **_: Any) -> None:
        if not garbled and b"documents" in str(request.url).encode():
            garbled.append(request.url)
            request.body = io.BytesIO(bytes(reversed(request.body.read())))

    target.s3.meta.events.register_last("before-send.s3.PutObject", garble)
    assert _move(tmp_path, target, batch).files == 1
    assert garbled
    assert target.objects() == _keyed(content)


def test_a_file_that_never_rests_is_tried_again_later(tmp_path: Path, target: Target) -> None:
    (tmp_path / "log").write_bytes(bytes(16 * objects.MIB))  # so long a reading that the writer gets a turn
    (batch,) = plan(tmp_path, 1)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "log"])
    try:
        time.sleep(0.3)
        with pytest.raises(TryAgain) as refusal:
            for _ in range(20):  # each attempt may find a quiet moment; then its object is taken away again
                _move(tmp_path, target, batch)
                clean_up(target.s3, target.bucket, "documents/")
        assert refusal.value.key == "files.changing"
    finally:
        writer.kill()
        writer.wait()


def test_a_file_that_went_away_or_is_no_file_any_more_stops(tmp_path: Path, target: Target) -> None:
    _fill(tmp_path, "ก", "ข")
    (batch,) = plan(tmp_path, 1)
    (tmp_path / "ข").unlink()
    (tmp_path / "ข").symlink_to("/etc/hostname")
    with pytest.raises(Stop) as refusal:
        _move(tmp_path, target, batch)
    assert refusal.value.key == "files.gone"
    assert "documents/ข" not in target.objects()
    reached = status(target.s3, target.bucket, "documents/", [batch])
    assert not reached.complete
    assert reached.missing >= 1


def test_more_than_64_mib_goes_in_parts_and_a_second_run_knows_it_by_s3s_checksum(
    tmp_path: Path, target: Target
) -> None:
    large = tmp_path / "ใหญ่.bin"
    with large.open("wb") as stream:
        stream.write(os.urandom(1024))
        stream.truncate(SINGLE_PUT_BYTES + 5)
        stream.seek(SINGLE_PUT_BYTES)
        stream.write(b"tail!")
    (tmp_path / "พอดี.bin").write_bytes(b"")
    os.truncate(tmp_path / "พอดี.bin", SINGLE_PUT_BYTES)
    (batch,) = plan(tmp_path, 1)
    parts = []
    target.s3.meta.events.register("before-call.s3.UploadPart", lambda **_: parts.append(1))
    assert _move(tmp_path, target, batch) == BatchResult(2, 2 * SINGLE_PUT_BYTES + 5, skipped=0)
    assert len(parts) == 5  # of the larger one only
    whole = hashlib.sha256()
    for chunk in target.s3.get_object(Bucket=target.bucket, Key="documents/ใหญ่.bin")["Body"].iter_chunks(objects.MIB):
        whole.update(chunk)
    assert whole.digest() == hashlib.sha256(large.read_bytes()).digest()
    target.s3.delete_object(Bucket=target.bucket, Key=manifest_key("documents/", "batch-0001"))
    downloads = []
    target.s3.meta.events.register("before-call.s3.GetObject", lambda **_: downloads.append(1))
    assert _move(tmp_path, target, batch).skipped == 2
    assert (len(parts), downloads) == (5, [])


def test_an_upload_in_parts_that_a_dead_attempt_left_is_ended(tmp_path: Path, target: Target) -> None:
    (tmp_path / "ใหญ่.bin").write_bytes(b"")
    os.truncate(tmp_path / "ใหญ่.bin", SINGLE_PUT_BYTES + 1)
    left = target.s3.create_multipart_upload(Bucket=target.bucket, Key="documents/ใหญ่.bin")["UploadId"]
    other = target.s3.create_multipart_upload(Bucket=target.bucket, Key="documents/ใหญ่.bin.bak")["UploadId"]
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    open_now = {u["UploadId"] for u in target.s3.list_multipart_uploads(Bucket=target.bucket).get("Uploads", [])}
    assert left not in open_now
    assert open_now == {other}


WRITER = """
import sys
with open(sys.argv[1], "r+b", 0) as log:
    while True:
        log.seek(0)
        log.write(b"x" * 4096)
"""

MOVER = """
import json, os, sys
import boto3
from pathlib import Path
from onboarding.files.plan import plan
from onboarding.files.upload import move_unit
root = Path(sys.argv[1])
(batch,) = plan(root, 1)
print("moving", flush=True)
move_unit(root, batch, boto3.client("s3"), os.environ["BUCKET"], prefix="documents/", at_a_time=2)
"""


def test_killed_at_any_instant_and_run_again_it_ends_the_same(tmp_path: Path, target: Target) -> None:
    content = _fill(tmp_path, *(f"แฟ้ม {n:03d}" for n in range(150)))
    (batch,) = plan(tmp_path, 1)
    reached = []
    for delay in (0.05, 0.2, 0.4):
        mover = subprocess.Popen(
            [sys.executable, "-c", MOVER, tmp_path], stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(INCLUDE), "PATH": os.defpath, **target.environment},
        )  # fmt: skip
        assert mover.stdout is not None
        assert mover.stdout.readline() == b"moving\n"
        time.sleep(delay)
        mover.send_signal(signal.SIGKILL)
        mover.wait()
        reached.append(status(target.s3, target.bucket, "documents/", [batch]).present)
    assert reached == sorted(reached)
    result = _move(tmp_path, target, batch)
    assert (result.files, result.skipped >= reached[-1]) == (150, True)
    assert target.objects() == _keyed(content)


def test_cleaning_up_takes_what_is_under_the_prefix_and_nothing_beside_it(tmp_path: Path, target: Target) -> None:
    _fill(tmp_path, *NAMES)
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    move_unit(tmp_path, batch, target.s3, target.bucket, prefix="documents2/")
    target.s3.create_multipart_upload(Bucket=target.bucket, Key="documents/unfinished")
    gone = status(target.s3, target.bucket, "documents/", [Batch("batch-0001", (SourceFile("-rf", 1),))])
    assert gone.extra == len(NAMES) - 1
    assert clean_up(target.s3, target.bucket, "documents/", keep=["A.txt", "สอง\nบรรทัด.txt"]) == len(NAMES) - 2 + 1
    assert set(target.objects()) == {"documents/A.txt", "documents/สอง\nบรรทัด.txt"}
    assert clean_up(target.s3, target.bucket, "documents/") == 3  # both files and the manifest
    assert clean_up(target.s3, target.bucket, "documents/") == 0
    assert len(target.objects("documents2/")) == len(NAMES)
    assert list(target.objects("_manifest/")) == ["_manifest/documents2/batch-0001.jsonl"]


def test_part_sizes_stay_within_s3s_limits() -> None:
    for size in (1, 64 * objects.MIB + 1, 160_000 * objects.MIB, 160_000 * objects.MIB + 1, 5 * 1024**4):
        part = objects.part_size(size)
        assert 5 * objects.MIB <= part <= 5 * 1024 * objects.MIB
        assert -(-size // part) <= objects.PARTS


@pytest.mark.parametrize("prefix", ["", "documents", "/documents/", "_manifest/", "a/_manifest/"])
def test_a_prefix_is_a_folder_of_its_own(tmp_path: Path, target: Target, prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        clean_up(target.s3, target.bucket, prefix)


def test_the_checksum_is_the_one_that_s3_computes(tmp_path: Path, target: Target) -> None:
    _fill(tmp_path, "ก")
    (batch,) = plan(tmp_path, 1)
    _move(tmp_path, target, batch)
    told = target.s3.head_object(Bucket=target.bucket, Key="documents/ก", ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert told == base64.b64encode(hashlib.sha256((tmp_path / "ก").read_bytes()).digest()).decode()
