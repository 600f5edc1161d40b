"""`./namrong move files` and `reconcile files` without Airflow: a folder, a bucket, and what the exit status says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from file_servers import PASSWORD, sftp_server, web_server

from launcher import cli

Cloud = Mapping[str, Any]
FILES = {
    "ทะเบียน ราษฎร์/น้ำ.csv": "ชื่อ,อายุ\n".encode("tis-620"), "empty": b"", "Case.txt": b"one", "case.TXT": b"two",
    "deep/er/est/ก๊.bin": bytes(range(256)) * 4096,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def s3(sandbox_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The sandbox's S3, which the command finds as any AWS program does: in the environment."""
    for name, value in (
        ("AWS_ENDPOINT_URL", "aws_endpoint_url"), ("AWS_ACCESS_KEY_ID", "access_key"),
        ("AWS_SECRET_ACCESS_KEY", "secret_key"), ("AWS_DEFAULT_REGION", "region"),
    ):  # fmt: skip
        monkeypatch.setenv(name, sandbox_cloud[value])
    yield boto3.client("s3")


@pytest.fixture
def bucket(s3: Any, sandbox_cloud: Cloud, request: pytest.FixtureRequest) -> str:
    name = f"alone-{abs(hash(request.node.name)):x}"[:60]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": sandbox_cloud["region"]})
    return name


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = cli.main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_folder_is_moved_and_proven(folder: Path, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    sides = ("files", "--source", str(folder), "--target", f"s3://{bucket}/share/", "--jobs", "4")
    status, compared = call(capsys, "move", *sides)
    assert (status, compared["source_files"], compared["unaccounted_files"]) == (0, len(FILES), 0)
    for name, content in FILES.items():
        assert s3.get_object(Bucket=bucket, Key=f"share/{name}")["Body"].read() == content
    assert call(capsys, "move", *sides)[0] == 0  # again: everything is there
    s3.put_object(Bucket=bucket, Key="share/Case.txt", Body=b"on3")
    status, compared = call(capsys, "reconcile", *sides)
    assert (status, [one["problem"] for one in compared["differences"]]) == (1, ["changed"])


def test_no_more_of_the_line_is_taken_than_was_said(
    folder: Path, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        (folder / f"more-{number}").write_bytes(bytes(500_000))
    sides = ("files", "--source", str(folder), "--target", f"s3://{bucket}/share/", "--bandwidth")
    began = time.monotonic()
    assert call(capsys, "move", *sides, "office=16,night=16")[0] == 0
    # 3 MB sent and 3 MB compared, at 2 MB a second; the last piece of each waits for nobody
    assert time.monotonic() - began >= 2 * (3_000_000 - 1024 * 1024) / 2_000_000
    status, told = call(capsys, "reconcile", *sides, "office=fast")
    assert (status, told["key"]) == (2, "alone.bad_bandwidth")
    status, told = call(capsys, "move", "database", *sides[1:], "16")
    assert (status, told["key"]) == (2, "alone.bandwidth_of_files")


@contextmanager
def served(kind: str, folder: Path, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The folder behind a server; gives its address, and what is secret to the environment."""
    monkeypatch.setenv("NAMRONG_SOURCE_PASSWORD", PASSWORD)
    if kind == "sftp":
        with sftp_server(folder) as server:
            monkeypatch.setenv("NAMRONG_SOURCE_HOST_KEY", server.host_key)
            yield f"sftp://agency@127.0.0.1:{server.port}/"
    elif kind == "http":
        with web_server(folder) as web:
            yield web.url
    else:
        for name, content in FILES.items():
            s3.put_object(Bucket=bucket, Key=f"old/{name}", Body=content)
        yield f"s3://{bucket}/old/"


@pytest.mark.parametrize("kind", ["sftp", "s3", "http"])
def test_other_sources_are_moved_and_proven(
    kind: str, folder: Path, s3: Any, bucket: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(kind, folder, s3, bucket, monkeypatch) as source:
        sides = ("files", "--source", source, "--target", f"s3://{bucket}/share/")
        assert cli.main(["move", *sides, "--json"]) == 0
        told = capfd.readouterr()
        compared = json.loads(told.out.splitlines()[-1])
        assert (compared["source_files"], compared["source_bytes"]) == (len(FILES), sum(map(len, FILES.values())))
        assert compared["untold"] == {"sftp": ["coarse"], "s3": [], "http": ["coarse", "hidden"]}[kind]
        assert PASSWORD not in told.out + told.err
        s3.put_object(Bucket=bucket, Key="share/Case.txt", Body=b"on3")
        s3.put_object(Bucket=bucket, Key="share/more", Body=b"")
        s3.delete_object(Bucket=bucket, Key="share/empty")
        assert cli.main(["reconcile", *sides, "--json"]) == 1
        compared = json.loads(capfd.readouterr().out.splitlines()[-1])
        assert sorted(one["problem"] for one in compared["differences"]) == ["changed", "extra", "missing"]


def test_a_listing_that_lies_proves_nothing(
    folder: Path, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "<title>Index of /</title><a href='Case.txt'>1</a><a href='/elsewhere/x'>2</a><a href='//h/y'>3</a>"
    s3.put_object(Bucket=bucket, Key="share/Case.txt", Body=FILES["Case.txt"])
    with web_server(folder) as web:
        web.pages["/"] = page.encode()
        sides = ("files", "--source", web.url, "--target", f"s3://{bucket}/share/")
        status, compared = call(capsys, "reconcile", *sides)
        assert (status, [one["problem"] for one in compared["differences"]]) == (1, ["unread", "unread"])
        status, said = call(capsys, "move", *sides)
        assert (status, said["key"]) == (2, "files.cannot_move")
        assert {path for _, path in web.asked} == {"/", "/Case.txt"}


@pytest.mark.parametrize("source", ["sftp:///x", "ftp://h/x", "https://h/x?y", "sftp://u:hush@h:port/x"])
def test_a_source_that_is_none_is_refused_without_its_password(
    source: str, s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = call(capsys, "move", "files", "--source", source, "--target", "s3://b/share/")
    assert (status, said["key"], "hush" in str(said)) == (2, "alone.no_source", False)


def test_another_content_is_not_overwritten(
    folder: Path, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket=bucket, Key="share/Case.txt", Body=b"somebody's")
    status, said = call(capsys, "move", "files", "--source", str(folder), "--target", f"s3://{bucket}/share/")
    assert (status, said["key"]) == (2, "files.different")
    assert s3.get_object(Bucket=bucket, Key="share/Case.txt")["Body"].read() == b"somebody's"


@pytest.mark.parametrize(
    ("target", "status", "key"),
    [
        ("s3://bucket", 2, "alone.no_bucket"),
        ("bucket/share/", 2, "alone.no_bucket"),
        ("s3://no-such-bucket/share/", 3, "aws."),
    ],
)
def test_where_it_cannot_go(
    folder: Path, s3: Any, capsys: pytest.CaptureFixture[str], target: str, status: int, key: str
) -> None:
    found, said = call(capsys, "move", "files", "--source", str(folder), "--target", target)
    assert found == status, said
    assert said["key"].startswith(key)
