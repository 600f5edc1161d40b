"""Where a workload's files are: what the manifest may say of it, and what only its connection knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_servers import PASSWORD, sftp_server

from onboarding.errors import AskPerson, OnboardingError
from onboarding.files.scan import assess
from onboarding.files_access import FilesAccess, place_of
from onboarding.manifest import Manifest
from onboarding.manifests import BadManifest, parse
from onboarding.places import BucketFolder, SftpFolder, WebFolder
from onboarding.reconcile.originals import originals

REGION = "ap-southeast-7"
WRITTEN = (Path(__file__).parents[2] / "include" / "pilots" / "p05.yaml").read_text(encoding="utf-8")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDNhgTdPaMO0CRkVU0SA3Y6G0jGqSzvZkMwEMTWmAlnK"
NAMED = {"old.agency.example": "192.0.2.7"}
LOGIN = FilesAccess(user="transfer", password="ความลับ", host_key=KEY, port=2022)


def manifest(source: str) -> Manifest:
    """p05, whose files come from there."""
    assert WRITTEN.count("    batches: 4\n") == 1
    return parse(WRITTEN.replace("    batches: 4\n", f"    batches: 4\n    source: {source}\n"), "p05.yaml")


def place(source: str, access: FilesAccess = LOGIN):
    return place_of(manifest(source).files[0], access, REGION, lambda host: NAMED.get(host, host))


def test_an_sftp_server_is_the_manifests_and_its_login_the_connections() -> None:
    found = place("{sftp: {host: old.agency.example, path: /srv/เอกสาร}}")
    assert found == SftpFolder("old.agency.example", "/srv/เอกสาร", "transfer", 2022, "ความลับ", host_key=KEY)
    assert isinstance(found, SftpFolder) and found.address == "192.0.2.7"
    assert "ความลับ" not in f"{found} {found!r} {LOGIN!r}"
    said = place(f"{{sftp: {{host: h, port: 22, path: in, host_key: {KEY} of the agency}}}}")
    assert isinstance(said, SftpFolder) and (said.port, said.host_key) == (22, f"{KEY} of the agency")


def test_a_bucket_and_a_listing_too() -> None:
    found = place("{s3: {bucket: old-store, prefix: scans/, endpoint_url: 'https://s3.agency.example'}}")
    assert isinstance(found, BucketFolder)
    credentials = found.cloud.session.get_credentials()
    assert credentials is not None and (credentials.access_key, credentials.secret_key) == ("transfer", "ความลับ")
    assert (str(found), found.cloud.region, found.cloud.endpoint_url) == (
        "s3://old-store/scans/", REGION, "https://s3.agency.example",
    )  # fmt: skip
    listing = place("{http: {url: 'https://files.agency.example/open/'}}")
    assert listing == WebFolder("https://files.agency.example/open/", "transfer", "ความลับ")


def test_without_a_source_it_is_a_folder_that_workers_see() -> None:
    (files,) = parse(WRITTEN, "p05.yaml").files
    assert place_of(files, FilesAccess(path="/mnt/p05"), REGION, str) == Path("/mnt/p05")


@pytest.mark.parametrize(
    ("source", "access", "key"),
    [
        ("{sftp: {host: h, path: /}}", FilesAccess(user="transfer", host_key=KEY), "files.no_login"),
        ("{sftp: {host: h, path: /}}", FilesAccess(user="transfer", password="x"), "files.no_host_key"),
        ("{s3: {bucket: old-store}}", FilesAccess(), "files.no_login"),
        ("", FilesAccess(user="transfer", password="x"), "files.no_path"),
    ],
)
def test_what_the_connection_lacks_is_for_a_person(source: str, access: FilesAccess, key: str) -> None:
    with pytest.raises(AskPerson) as refusal:
        place(source, access)
    assert refusal.value.key == key
    assert refusal.value.render("th") != refusal.value.render("en")


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ("{sftp: {path: /x}}", "sftp.host"),
        ("{sftp: {host: 'h; rm', path: /x}}", "sftp.host"),
        ("{sftp: {host: h, path: /x, port: 0}}", "sftp.port"),
        ("{sftp: {host: h, path: /x, password: x}}", "sftp.password"),
        ("{sftp: {host: h, path: /x, host_key: ssh-ed25519 AAAA}}", "sftp.host_key"),
        (f"{{sftp: {{host: h, path: /x, host_key: {KEY.replace('ssh-ed25519', 'ssh-rsa')}}}}}", "sftp.host_key"),
        ("{s3: {bucket: Old_Store}}", "s3.bucket"),
        ("{s3: {bucket: old-store, prefix: scans}}", "s3.prefix"),
        ("{s3: {bucket: old-store, endpoint_url: 's3.agency.example'}}", "s3.endpoint_url"),
        ("{http: {url: 'https://user:secret@h/x/'}}", "http.url"),
        ("{http: {url: 'ftp://h/x/'}}", "http.url"),
        ("{http: {url: 'https://h/x'}}", "http.url"),
        ("{http: {url: 'https://h/x/'}, s3: {bucket: old-store}}", ""),
        ("{}", ""),
        ("{nfs: {path: /x}}", "nfs"),
    ],
)
def test_a_source_that_is_none_is_named_with_its_line(source: str, field: str) -> None:
    with pytest.raises(BadManifest) as refused:
        manifest(source)
    problem = refused.value.problems[0]
    assert problem.field == ".".join(["files.0.source", *filter(None, [field])])
    assert problem.line == 1 + WRITTEN.splitlines().index("    batches: 4") + 1


def test_a_source_that_cannot_be_entered_is_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "แฟ้ม.txt").write_text("1")
    with sftp_server(tmp_path) as server, sftp_server(tmp_path) as other:
        for password, shown, key, why in (
            (PASSWORD, other.host_key, "", "host_unknown"), ("wrong", server.host_key, "", "login_refused"),
            ("", server.host_key, "no key", "bad_key"),
        ):  # fmt: skip
            access = FilesAccess(user="agency", password=password, key=key, host_key=shown, port=server.port)
            there = place("{sftp: {host: 127.0.0.1, path: /}}", access)
            for room, ask in (("files", assess), ("reconcile", originals)):
                if (room, why) != ("reconcile", "bad_key"):
                    with pytest.raises(OnboardingError) as refusal:
                        ask(there)  # type: ignore[operator]
                    assert (refusal.value.key, refusal.value.action) == (f"{room}.{why}", "ask")
