"""What `--source` and `--bandwidth` say; what is secret comes from the environment or the address alone."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import ValidationError

from onboarding import aws
from onboarding.bandwidth import Take, take_of, unlimited
from onboarding.errors import Stop
from onboarding.manifest_files import Bandwidth
from onboarding.places import SFTP_PORT, BucketFolder, Place, SftpFolder, WebFolder

SECRETS = "NAMRONG_SOURCE_"
"""Begins the names of what the environment says of the source: PASSWORD, HOST_KEY, and for S3 ACCESS_KEY_ID,
SECRET_ACCESS_KEY, SESSION_TOKEN, REGION, ENDPOINT_URL."""

DEFAULT_REGION = "us-east-1"  # only where nothing names one: a bucket knows its own


def place(text: str) -> Place:
    """A folder, or `sftp://user@host/path`, `s3://bucket/prefix/`, `https://host/path/`. Raises Stop."""
    if "://" not in text:
        return Path(text).absolute()
    try:
        said = urlsplit(text)
        port = said.port
    except ValueError as failure:
        raise Stop("alone.no_source", where="--source") from failure
    if said.hostname and said.scheme == "sftp":
        return _sftp(said, port or SFTP_PORT)
    if said.netloc and said.scheme == "s3" and not (said.query or said.fragment):
        prefix = said.path.strip("/")
        return BucketFolder(said.netloc, f"{prefix}/" if prefix else "", _cloud())
    if said.hostname and said.scheme in ("http", "https") and not (said.query or said.fragment):
        return _web(said)
    raise Stop("alone.no_source", where=f"{said.scheme}://")


def _sftp(said: SplitResult, port: int) -> SftpFolder:
    path = unquote(said.path)
    path = path.removeprefix("/~/") if path.startswith("/~/") else path or "/"
    user = unquote(said.username or "") or getpass.getuser()
    return SftpFolder(said.hostname or "", path, user, port, _password(said), host_key=_told("HOST_KEY"))


def _web(said: SplitResult) -> WebFolder:
    host = said.netloc.rpartition("@")[2]
    url = urlunsplit((said.scheme, host, said.path.rstrip("/") + "/", "", ""))
    return WebFolder(url, unquote(said.username or ""), _password(said))


def _password(said: SplitResult) -> str:
    return unquote(said.password or "") or _told("PASSWORD")


def _cloud() -> aws.Cloud:
    """Credentials of the source's own where the environment has some, else those of the target."""
    session = aws.session(_told("ACCESS_KEY_ID") or None, _told("SECRET_ACCESS_KEY") or None,
                          _told("SESSION_TOKEN") or None)  # fmt: skip
    region = _told("REGION") or session.region_name or DEFAULT_REGION
    return aws.Cloud(session, region, _told("ENDPOINT_URL") or None)


def line(text: str | None) -> Take:
    """The bandwidth that `--bandwidth` leaves: `50`, or `office=20,night=400,opens=07:00,closes=18:00`. Raises Stop."""
    if text is None:
        return unlimited
    said = {"office": text, "night": text} if text.isdecimal() else dict(_pairs(text))
    try:
        limits = Bandwidth.model_validate(said)
    except ValidationError as failure:
        raise Stop("alone.bad_bandwidth", where=text, reason=failure.errors()[0]["msg"]) from failure
    return take_of(limits, lambda: datetime.now(UTC))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for one in text.split(","):
        name, _, value = one.partition("=")
        yield name.strip(), value.strip()


def _told(name: str) -> str:
    return os.environ.get(f"{SECRETS}{name}", "")
