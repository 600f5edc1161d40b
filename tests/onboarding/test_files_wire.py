"""What the upload engine puts on the wire, many at a time, and what it makes of a wire or a store that fails it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from moto.server import ThreadedMotoServer
from wire_between import Between, Passed, between

from onboarding.aws import Cloud
from onboarding.errors import Stop, TryAgain
from onboarding.files import lane, moving, objects
from onboarding.files.folder import move_folder
from onboarding.files.sources import SINGLE_PUT_BYTES
from onboarding.files.upload import BatchResult

REGION = "ap-southeast-7"


@pytest.fixture
def wire(sandbox_cloud: dict[str, Any]) -> Iterator[Between]:
    with between(sandbox_cloud["aws_endpoint_url"]) as found:
        yield found


@pytest.fixture
def s3(wire: Between, sandbox_cloud: dict[str, Any]) -> Iterator[Any]:
    session = boto3.Session(sandbox_cloud["access_key"], sandbox_cloud["secret_key"], region_name=REGION)
    client = Cloud(session, REGION, wire.url).client("s3")
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    return made(s3)


def made(s3: Any) -> str:
    name = f"wire-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def filled(root: Path, *names: str) -> dict[str, bytes]:
    content = {name: f"เนื้อหาของ {name}".encode() for name in names}
    for name, body in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    return content


def stored(s3: Any, bucket: str, prefix: str = "p/") -> dict[str, bytes]:
    keys = [found.key for found in objects.listed(s3, bucket, prefix)]
    return {key.removeprefix(prefix): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def large(path: Path) -> bytes:
    """Just over what goes in one piece: five parts."""
    with path.open("wb") as stream:
        stream.truncate(SINGLE_PUT_BYTES)
        stream.seek(SINGLE_PUT_BYTES - 5)
        stream.write(os.urandom(10))
    return path.read_bytes()


def test_many_small_files_are_under_way_at_once(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    content = filled(tmp_path, *(f"{n:03d}" for n in range(192)))
    together = threading.Barrier(96)

    def wait_for_the_others(request: Passed) -> None:
        if request.writes_file:
            together.wait(30)  # broken, and so is the test, unless all requests are there at one time

    wire.meddle = wait_for_the_others
    assert move_folder(tmp_path, s3, bucket, prefix="p/", at_a_time=96).files == 192
    assert stored(s3, bucket) == content


def test_a_small_file_carries_its_checksum_a_condition_and_what_its_file_was(
    tmp_path: Path, wire: Between, s3: Any, bucket: str
) -> None:
    content = filled(tmp_path, "น้ำ 100%.txt", "สอง\nบรรทัด")
    (tmp_path / "น้ำ 100%.txt").chmod(0o640)
    move_folder(tmp_path, s3, bucket, prefix="p/")
    sent = {put.key.rpartition("/")[2]: put for put in wire.puts()}
    for name, body in content.items():
        digest = hashlib.sha256(body)
        headers = sent[name].headers
        assert (headers["if-none-match"], headers["x-amz-checksum-sha256"], headers["x-amz-meta-sha256"]) == (
            "*", base64.b64encode(digest.digest()).decode(), digest.hexdigest()
        )  # fmt: skip
    assert [sent[name].by_obstore for name in content] == [True, False]  # obstore has no such key
    found = (tmp_path / "น้ำ 100%.txt").stat()
    told = s3.head_object(Bucket=bucket, Key="p/น้ำ 100%.txt")["Metadata"]
    assert told == {
        "sha256": hashlib.sha256(content["น้ำ 100%.txt"]).hexdigest(), "file-mtime": f"{found.st_mtime_ns}ns",
        "file-permissions": "0100640", "file-owner": str(found.st_uid), "file-group": str(found.st_gid),
    }  # fmt: skip


def test_what_the_wire_garbles_is_refused_and_sent_again(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    content = filled(tmp_path, "ก")

    def garble_the_first(request: Passed) -> None:
        if len(wire.puts()) == 1 and wire.puts()[0] is request:
            request.body = bytes(reversed(request.body))

    wire.meddle = garble_the_first
    assert move_folder(tmp_path, s3, bucket, prefix="p/") == BatchResult(1, len(content["ก"]), 0)
    assert [(put.by_obstore, put.status) for put in wire.puts()] == [(True, 400), (False, 200)]
    assert stored(s3, bucket) == content


def test_a_rivals_object_is_left_alone(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    filled(tmp_path, "ก")

    def arrive(request: Passed) -> None:
        if wire.puts()[:1] == [request]:
            s3.put_object(Bucket=bucket, Key="p/ก", Body=b"theirs")

    wire.meddle = arrive
    with pytest.raises(Stop) as refusal:
        move_folder(tmp_path, s3, bucket, prefix="p/")
    assert (refusal.value.key, stored(s3, bucket)) == ("files.different", {"ก": b"theirs"})


def test_a_way_that_stays_closed_is_left(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    content = filled(tmp_path, *(f"{n:03d}" for n in range(60)))
    wire.meddle = lambda request: 403 if request.by_obstore else None
    assert move_folder(tmp_path, s3, bucket, prefix="p/", at_a_time=4).files == 60
    assert stored(s3, bucket) == content
    assert lane.FAILURES <= sum(put.by_obstore for put in wire.puts()) < lane.FAILURES + 4


def test_parts_are_under_way_at_once_each_with_a_checksum(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    body = large(tmp_path / "ใหญ่")
    together = threading.Barrier(2)

    def wait_for_another(request: Passed) -> None:
        if "partNumber=1&" in f"{request.query}&" or "partNumber=2&" in f"{request.query}&":
            together.wait(30)

    wire.meddle = wait_for_another
    move_folder(tmp_path, s3, bucket, prefix="p/")
    parts = [put for put in wire.puts() if "partNumber" in put.query]
    assert sorted(int(parse_qs(part.query)["partNumber"][0]) for part in parts) == [1, 2, 3, 4, 5]
    assert all("x-amz-checksum-crc64nvme" in part.headers for part in parts)
    head = s3.head_object(Bucket=bucket, Key="p/ใหญ่", ChecksumMode="ENABLED")
    assert (head["ChecksumType"], head["ContentLength"]) == ("FULL_OBJECT", len(body))
    (note,) = stored(s3, bucket, "_manifest/").values()
    assert json.loads(note)["sha256"] == hashlib.sha256(body).hexdigest()
    assert hashlib.sha256(stored(s3, bucket)["ใหญ่"]).digest() == hashlib.sha256(body).digest()


def test_a_garbled_part_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, wire: Between, s3: Any, bucket: str
) -> None:
    body = large(tmp_path / "ใหญ่")
    garbled: list[Passed] = []

    def garble(request: Passed) -> None:
        if "partNumber=3" in request.query and not garbled:
            garbled.append(request)
            request.body = b"?" + request.body[1:]

    wire.meddle = garble
    assert move_folder(tmp_path, s3, bucket, prefix="p/").files == 1
    assert [request.status for request in garbled] == [400]
    assert stored(s3, bucket) == {"ใหญ่": body}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_large_file_that_is_written_to_meanwhile_is_not_completed(
    tmp_path: Path, wire: Between, s3: Any, bucket: str
) -> None:
    large(tmp_path / "ใหญ่")

    def write(request: Passed) -> None:
        if "partNumber=4" in request.query:
            with (tmp_path / "ใหญ่").open("r+b") as stream:
                stream.write(os.urandom(8))

    wire.meddle = write
    with pytest.raises(TryAgain) as refusal:
        move_folder(tmp_path, s3, bucket, prefix="p/")
    assert (refusal.value.key, stored(s3, bucket)) == ("files.changing", {})
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_what_a_store_kept_without_checking_is_read_back(tmp_path: Path) -> None:
    content = filled(tmp_path, "ก", "ข")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with between(f"http://{host}:{port}") as wire:
            s3 = Cloud(boto3.Session("any", "any", region_name=REGION), REGION, wire.url).client("s3")
            bucket = made(s3)
            wire.meddle = lambda request: garble(request) if request.key.endswith("/p/ข") else None

            def garble(request: Passed) -> None:
                request.body = bytes(reversed(request.body))

            with pytest.raises(TryAgain) as refusal:
                move_folder(tmp_path, s3, bucket, prefix="p/")
            assert refusal.value.key == "files.not_as_sent"
            wire.meddle = lambda _: None
            s3.delete_object(Bucket=bucket, Key="p/ข")
            assert move_folder(tmp_path, s3, bucket, prefix="p/").files == 2
            assert (stored(s3, bucket), list(stored(s3, bucket, "_manifest/"))) == (content, ["p/folder-000001.jsonl"])
    finally:
        server.stop()


def test_a_folder_is_looked_through_while_it_is_sent(
    tmp_path: Path, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "IN_MEMORY_BYTES", 1)  # so that the second waits for the first
    filled(tmp_path, "first", "later/there")

    def arrived(sofar: BatchResult) -> None:
        if sofar.files == 1:
            (tmp_path / "later" / "new").write_bytes(b"made after the first had arrived")

    assert move_folder(tmp_path, s3, bucket, prefix="p/", at_a_time=1, tell=arrived).files == 3
    assert set(stored(s3, bucket)) == {"first", "later/there", "later/new"}


def test_what_cannot_move_ends_the_sending_and_is_counted(tmp_path: Path, s3: Any, bucket: str) -> None:
    filled(tmp_path, "first", "later/there")
    deep = "/".join(["ก" * 80] * 5)
    filled(tmp_path, f"later/{deep}/a", f"later/{deep}/b")
    with pytest.raises(Stop) as refusal:
        move_folder(tmp_path, s3, bucket, prefix="p/", at_a_time=1)
    assert refusal.value.key == "files.cannot_move"
    assert "2 files" in refusal.value.render("en")
    assert {"first"} <= set(stored(s3, bucket)) <= {"first", "later/there"}


def test_notes_are_left_as_files_arrive_and_spare_the_second_run_every_question(
    tmp_path: Path, wire: Between, s3: Any, bucket: str
) -> None:
    content = filled(tmp_path, *(f"{n:03d}" for n in range(25)))
    assert move_folder(tmp_path, s3, bucket, prefix="p/", noted_together=10).skipped == 0
    notes = stored(s3, bucket, "_manifest/p/")
    assert list(notes) == [f"folder-{n:06d}.jsonl" for n in (1, 2, 3)]
    assert {json.loads(line)["path"] for note in notes.values() for line in note.splitlines()} == content.keys()
    wire.passed.clear()
    assert move_folder(tmp_path, s3, bucket, prefix="p/").skipped == 25
    assert not [one for one in wire.passed if one.key.startswith(f"/{bucket}/p/")]
    assert list(stored(s3, bucket, "_manifest/p/")) == ["folder-000001.jsonl"]  # those of the other division are gone


def test_one_listing_serves_the_whole_folder(tmp_path: Path, wire: Between, s3: Any, bucket: str) -> None:
    filled(tmp_path, *(f"{n:03d}" for n in range(30)))
    move_folder(tmp_path, s3, bucket, prefix="p/", noted_together=5)
    listings = [parse_qs(one.query).get("prefix") for one in wire.passed if "list-type=2" in one.query]
    assert listings.count(["p/"]) == 1


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (None, "https://agency-files.s3.ap-southeast-7.amazonaws.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/agency-files"),
        (
            "https://bucket.vpce-1a.s3.ap-southeast-7.vpce.amazonaws.com",
            "https://bucket.vpce-1a.s3.ap-southeast-7.vpce.amazonaws.com/agency-files",
        ),
        ("https://s3.agency.go.th/store", "https://s3.agency.go.th/store/agency-files"),
    ],
)
def test_the_bucket_is_where_botocore_would_find_it(endpoint: str | None, address: str) -> None:
    s3 = Cloud(boto3.Session("any", "any", region_name=REGION), REGION, endpoint).client("s3")
    assert lane.address_of(s3, "agency-files") == address
