"""Files of an SFTP server, of another bucket, of a web server's listing: found, read once, moved to S3 (sandbox)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from file_servers import PASSWORD, sftp_server, web_server

from onboarding.aws import Cloud
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.files.folder import move_folder
from onboarding.files.objects import listed
from onboarding.files.plan import Batch, plan
from onboarding.files.scan import SourceFile, assess, scan
from onboarding.files.sources import Changed, Lost, at
from onboarding.files.upload import BatchResult, move_unit
from onboarding.places import BucketFolder, Place, SftpFolder, WebFolder
from onboarding.reconcile.originals import originals

REGION = "ap-southeast-7"
NAMES = [
    "A.txt", "a.txt", "caf\u00e9.txt", "cafe\u0301.txt", "น\u0e49\u0e33.txt", "น\u0e4d\u0e49\u0e32.txt",
    "มี ช่อง ว่าง .txt ", "100%20ละ+&?#=;:@,.txt", "a\\b.txt", "สอง\nบรรทัด.txt", "<b>&amp;'\"$HOME.txt",
    "ลึก/ลง/ไป.txt", "-rf", "~", "ก" * 84, "ว่าง",
]  # fmt: skip


@pytest.fixture(scope="module")
def cloud(sandbox_cloud: dict[str, Any]) -> Cloud:
    session = boto3.Session(sandbox_cloud["access_key"], sandbox_cloud["secret_key"], region_name=REGION)
    return Cloud(session, REGION, sandbox_cloud["aws_endpoint_url"])


def made(cloud: Cloud) -> str:
    name = f"sources-{secrets.token_hex(6)}"
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    return made(cloud)


def stored(cloud: Cloud, bucket: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    keys = [found.key for found in listed(s3, bucket, "p/")]
    return {key.removeprefix("p/"): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture
def share(tmp_path: Path) -> dict[str, bytes]:
    """Odd names, an empty file, and one that goes in parts."""
    content = {name: f"เนื้อหาของ {name}".encode() for name in NAMES} | {"ว่าง": b"", "ใหญ่": os.urandom(20_000_000)}
    for name, body in content.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    return content


@pytest.fixture(params=["sftp", "s3", "http"])
def place(request: pytest.FixtureRequest, tmp_path: Path, share: dict[str, bytes], cloud: Cloud) -> Iterator[Place]:
    if request.param == "sftp":
        with sftp_server(tmp_path) as server:
            yield SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key)
    elif request.param == "http":
        with web_server(tmp_path) as web:
            yield WebFolder(web.url)
    else:
        source = made(cloud)
        for name, body in share.items():
            cloud.client("s3").put_object(Bucket=source, Key=f"old/{name}", Body=body)
        yield BucketFolder(source, "old/", cloud)


def test_every_byte_arrives_under_its_own_name_and_a_second_run_reads_nothing_it_knows(
    place: Place, share: dict[str, bytes], cloud: Cloud, bucket: str
) -> None:
    s3 = cloud.client("s3")
    size = sum(map(len, share.values()))
    assert move_folder(place, s3, bucket, prefix="p/") == BatchResult(len(share), size, 0)
    assert stored(cloud, bucket) == share
    assert move_folder(place, s3, bucket, prefix="p/") == BatchResult(len(share), size, len(share))


def test_the_verbs_of_the_journey_take_any_place(
    place: Place, share: dict[str, bytes], cloud: Cloud, bucket: str
) -> None:
    s3 = cloud.client("s3")
    assert {file.path: file.size for file in scan(place).files} == {name: len(body) for name, body in share.items()}
    assert not [finding for finding in assess(place) if finding.severity == "critical"]
    for batch in plan(place, 2):
        move_unit(place, batch, s3, bucket, prefix="p/")
    assert stored(cloud, bucket) == share


def test_a_name_that_is_no_utf8_is_refused_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "ดี").write_bytes(b"1")
    with open(os.fsencode(tmp_path) + "/ไม่ดี".encode("tis-620"), "wb") as stream:  # noqa: PTH123 - bytes
        stream.write(b"2")
    with sftp_server(tmp_path) as server, web_server(tmp_path) as web:
        for place in (SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key),
                      WebFolder(web.url)):  # fmt: skip
            found = scan(place)
            assert [file.path for file in found.files] == ["ดี"]
            assert [one.reason for one in found.refused] == ["not_utf8"]


def test_a_server_that_is_another_or_a_wrong_password_is_for_a_person(tmp_path: Path) -> None:
    with sftp_server(tmp_path) as server, sftp_server(tmp_path) as other:
        for password, host_key, key in (
            (PASSWORD, other.host_key, "files.host_unknown"), ("wrong", server.host_key, "files.login_refused")
        ):  # fmt: skip
            with pytest.raises(AskPerson) as refusal:
                scan(SftpFolder("127.0.0.1", "/", "agency", server.port, password, host_key=host_key))
            assert refusal.value.key == key
            assert password not in str(refusal.value)


def test_a_line_that_breaks_is_made_anew(tmp_path: Path, share: dict[str, bytes], cloud: Cloud, bucket: str) -> None:
    broken: list[int] = []

    with sftp_server(tmp_path) as server:

        def cut(sofar: BatchResult) -> None:
            if sofar.files in (3, 7):
                broken.append(sofar.files)
                server.cut()

        place = SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key)
        moved = move_folder(place, cloud.client("s3"), bucket, prefix="p/", at_a_time=2, tell=cut)
    assert (broken, moved.files, stored(cloud, bucket)) == ([3, 7], len(share), share)


def test_a_file_of_a_broken_line_takes_no_other_line_with_it(tmp_path: Path, share: dict[str, bytes]) -> None:
    with sftp_server(tmp_path) as server:
        place = SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key)
        with at(place) as source, contextlib.ExitStack() as before:
            stale = before.enter_context(source.opened("A.txt"))
            server.cut()
            with pytest.raises(Lost):
                stale.read()
            with source.opened("A.txt") as fresh:
                with pytest.raises(Lost):
                    stale.read()
                before.close()
                assert (fresh.read(), fresh.unchanged()) == (share["A.txt"], True)


def test_a_comparison_whose_line_breaks_says_so_and_calls_no_file_unreadable(
    tmp_path: Path, share: dict[str, bytes]
) -> None:
    with sftp_server(tmp_path) as server:
        place = SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key)
        with contextlib.closing(originals(place)) as source:
            assert source.read(b"A.txt") == (hashlib.sha256(share["A.txt"]).digest(), len(share["A.txt"]))
            server.cut()
            for ask in (lambda: source.read(b"A.txt"), lambda: list(source.walk())):
                with pytest.raises(TryAgain) as refusal:
                    ask()
                assert refusal.value.key == "reconcile.connection_lost"


def test_an_answer_that_breaks_off_is_asked_for_again(tmp_path: Path, cloud: Cloud, bucket: str) -> None:
    (tmp_path / "long").write_bytes(bytes(1_000_000))
    with web_server(tmp_path) as web:
        web.cut_once.add("/long")
        assert move_folder(WebFolder(web.url), cloud.client("s3"), bucket, prefix="p/").files == 1
        assert web.cut_once == set()
    assert stored(cloud, bucket) == {"long": bytes(1_000_000)}


def test_a_source_that_stays_away_is_tried_again_later(tmp_path: Path, cloud: Cloud, bucket: str) -> None:
    with sftp_server(tmp_path) as server:
        gone = SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key)
    with pytest.raises(TryAgain) as refusal:
        move_unit(gone, Batch("one", (SourceFile("a", 1),)), cloud.client("s3"), bucket, prefix="p/")
    assert refusal.value.key == "files.source_lost"


def test_a_change_while_reading_is_seen(place: Place, tmp_path: Path, cloud: Cloud) -> None:
    with at(place) as source, source.opened("A.txt") as file:
        file.read()
        assert file.unchanged()
        if isinstance(place, BucketFolder):
            cloud.client("s3").put_object(Bucket=place.bucket, Key="old/A.txt", Body=b"another")
            with pytest.raises(Changed):
                file.seek(0)
        else:
            (tmp_path / "A.txt").write_bytes(b"another")
        assert not file.unchanged()


@pytest.mark.parametrize(("name", "after"), [("A.txt", 0), ("ใหญ่", 5_000_000)], ids=["whole", "in parts"])
def test_what_changes_on_its_way_is_read_again_and_arrives_as_it_came_to_rest(
    place: Place, share: dict[str, bytes], tmp_path: Path, cloud: Cloud, bucket: str, name: str, after: int
) -> None:
    """Changed once when so many bytes had passed: the line that every byte asks for is where we see them go by."""
    s3, passed, new = cloud.client("s3"), 0, os.urandom(len(share[name]))
    os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))  # these servers tell times in whole seconds

    def change_on_the_way(size: int) -> None:
        nonlocal passed
        before, passed = passed, passed + size
        if before <= after < passed:
            if isinstance(place, BucketFolder):
                s3.put_object(Bucket=place.bucket, Key=f"old/{name}", Body=new)
            else:
                (tmp_path / name).write_bytes(new)

    alone = Batch("one", (SourceFile(name, len(new)),))
    assert move_unit(place, alone, s3, bucket, prefix="p/", take=change_on_the_way).files == 1
    assert passed > after + len(new), "it was not read again"
    assert stored(cloud, bucket) == {name: new}
    assert not list(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))


@pytest.mark.parametrize(
    "link",
    ["http://127.0.0.1:1/secret", "//example.org/x", "/etc/passwd", "../../etc/passwd", "..%2F..%2Fsecret", "%2e%2e",
     "sub/deep.txt", "x?y=1", "a%00b", "file:///etc/passwd", "ftp://h/x"],
)  # fmt: skip
def test_a_listing_that_leads_elsewhere_is_refused(tmp_path: Path, cloud: Cloud, bucket: str, link: str) -> None:
    (tmp_path / "good").write_bytes(b"1")
    page = "<title>Index of /</title><a href='?C=N;O=D'>Name</a><a href='../'>up</a><a href='good'>good</a>"
    with web_server(tmp_path) as web:
        web.pages["/"] = page.encode()
        assert scan(WebFolder(web.url)).refused == ()
        web.pages["/"] = (page + f"<a href='{link}'>x</a>").encode()
        assert [(one.path, one.reason) for one in scan(WebFolder(web.url)).refused] == [(link, "outside")]
        with pytest.raises(Stop) as refusal:
            move_folder(WebFolder(web.url), cloud.client("s3"), bucket, prefix="p/")
        assert (refusal.value.key, set(stored(cloud, bucket)) <= {"good"}) == ("files.cannot_move", True)
        assert {path for _, path in web.asked} <= {"/", "/good"}


def test_a_page_that_is_no_listing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>Welcome</title><a href='x'>x</a>")
    with web_server(tmp_path) as web, pytest.raises(Stop) as refusal:
        scan(WebFolder(web.url))
    assert refusal.value.key == "files.no_listing"


def test_what_an_object_is_served_with_travels(cloud: Cloud, bucket: str) -> None:
    s3, source = cloud.client("s3"), made(cloud)
    s3.put_object(Bucket=source, Key="a/x.pdf", Body=b"1", ContentType="application/pdf", Metadata={"case": "7"})
    move_folder(BucketFolder(source, "a/", cloud), s3, bucket, prefix="p/")
    told = s3.head_object(Bucket=bucket, Key="p/x.pdf")
    assert (told["ContentType"], told["Metadata"]["case"]) == ("application/pdf", "7")
