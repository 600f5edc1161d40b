"""Folders that Debian's Apache, nginx and lighttpd list: every file that they show is moved and proven (sandbox)."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from debian_web import SERVERS, is_there, listing

from onboarding.aws import Cloud
from onboarding.files.folder import move_folder
from onboarding.files.scan import scan
from onboarding.places import WebFolder
from onboarding.reconcile.files import compare_files

REGION = "ap-southeast-7"
NAMES = [
    "A.txt", "a.txt", "caf\u00e9.txt", "cafe\u0301.txt", "น\u0e49\u0e33.txt", "น\u0e4d\u0e49\u0e32.txt",
    "มี ช่อง ว่าง .txt ", "100%20ละ+&?#=;:@,.txt", "a\\b.txt", "<b>&amp;'\"$HOME.txt", "ลึก/ลง/ไป.txt", "-rf", "~",
    "ก" * 84, "README", "index.htm",
]  # fmt: skip
TWO_LINES, HIDDEN = "สอง\nบรรทัด.txt", ".hidden"
SHOWS = {"apache": {TWO_LINES, HIDDEN}, "nginx": {TWO_LINES}, "lighttpd": set[str]()}
"""What is odder still, and who shows it as the file that it is."""


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not is_there(name):
        pytest.skip(f"Debian servers: no {name} here")
    return name


@pytest.fixture
def root() -> Iterator[Path]:
    """Readable for a server that gives up being root."""
    folder = Path(tempfile.mkdtemp(prefix="namrong-web-"))
    folder.chmod(0o755)
    for name in [*NAMES, TWO_LINES, HIDDEN]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"เนื้อหาของ {name}".encode() + os.urandom(1000))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_what_it_shows_is_moved_and_proven(
    server: str, root: Path, tmp_path: Path, sandbox_cloud: dict[str, Any]
) -> None:
    session = boto3.Session(sandbox_cloud["access_key"], sandbox_cloud["secret_key"], region_name=REGION)
    s3 = Cloud(session, REGION, sandbox_cloud["aws_endpoint_url"]).client("s3")
    bucket = f"web-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    with listing(server, root, tmp_path) as url:
        refused = [one.path for one in scan(WebFolder(url)).refused]
        assert set(refused) == {TWO_LINES} - SHOWS[server]  # never left out unsaid
        for name in refused:
            (root / name).unlink()
        shown = {*NAMES, *SHOWS[server]}
        assert {file.path for file in scan(WebFolder(url)).files} == shown
        assert move_folder(WebFolder(url), s3, bucket, prefix="p/").files == len(shown)
        found = compare_files(WebFolder(url), s3, bucket, "p/")
        assert (found.equal, found.source_files, found.target_files) == (True, len(shown), len(shown))
        (root / "README").write_bytes(b"another")
        assert not compare_files(WebFolder(url), s3, bucket, "p/").equal
