"""`./namrong move files` and `reconcile files` without Airflow: a folder, a bucket, and what the exit status says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

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
