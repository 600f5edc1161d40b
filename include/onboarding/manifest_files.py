"""The files of a pilot as its manifest names them: where they come from, and how much of the line they may take."""

from __future__ import annotations

from binascii import a2b_base64
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from onboarding.manifest_types import AsciiName, Hour, Line, Part, Region, Slug, Url, plain_url

KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


def _host_key(text: str) -> str:
    """An SSH server's public key; its type stands in front and again, with its length, inside (RFC 4253, 6.6)."""
    kind, _, rest = text.partition(" ")
    try:
        inside = a2b_base64((rest.split() or [""])[0], strict_mode=True)
    except ValueError:
        inside = b""
    named = len(kind).to_bytes(4) + kind.encode()
    if kind not in KEY_TYPES or not inside.startswith(named) or len(inside) < len(named) + 32:
        raise ValueError("is no public key of an SSH server, e.g. `ssh-ed25519 AAAA…` as `ssh-keyscan` prints it")
    return text


def _folder_url(text: str) -> str:
    if not plain_url(text).endswith("/"):
        raise ValueError("is the address of a folder: it ends in a stroke")
    return text


def _prefix(text: str) -> str:
    if text and (text.startswith("/") or not text.endswith("/")):
        raise ValueError("is like `documents/`: it ends in a stroke and begins with none")
    return text


HostName = Annotated[str, AsciiName(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")]
HostKey = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_host_key)]
MbitPerSecond = Annotated[int, Field(ge=1, le=1_000_000)]
BucketName = Annotated[str, AsciiName(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]


class SftpSource(Part):
    """A folder of an SFTP server. The connection (type sftp) has the login, and password or extra `private_key`."""

    host: HostName
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """When absent the connection's, else 22."""
    path: Line
    """On the server, e.g. `/srv/documents`; with no stroke at its beginning it lies below the login's home."""
    host_key: HostKey | None = None
    """The server's public key, e.g. `ssh-ed25519 AAAA…`, which the agency told by another way. When absent the
    connection's extra `host_key`; with neither nobody logs in."""


class BucketSource(Part):
    """Part of a bucket of any store that speaks S3. The connection (type aws) has the access key and its secret."""

    bucket: BucketName
    prefix: Annotated[str, StringConstraints(max_length=900), AfterValidator(_prefix)] = ""
    """What its keys begin with, e.g. `documents/`; empty: the whole bucket."""
    region: Region | None = None
    """When absent the pilot's."""
    endpoint_url: Url | None = None
    """Of a store of the agency's own; when absent AWS."""


class WebSource(Part):
    """A folder that a web server lists (autoindex). The connection (type http) has the login, or none."""

    url: Annotated[str, AfterValidator(_folder_url)]
    """E.g. `https://files.agency.example/documents/`."""


class FilesSource(Part):
    """Where files come from when no worker sees their folder: one of these. Secrets stand in the connection."""

    sftp: SftpSource | None = None
    s3: BucketSource | None = None
    http: WebSource | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.sftp, self.s3, self.http)) != 1:
            raise ValueError("a source is one of `sftp`, `s3` and `http`; leave it out for a folder that workers see")
        return self

    @property
    def place(self) -> SftpSource | BucketSource | WebSource:
        """The one that is named."""
        return next(place for place in (self.sftp, self.s3, self.http) if place is not None)


class Bandwidth(Part):
    """How much of the agency's line its files may take, in megabits a second (1 is 125,000 bytes a second).

    Counted is what passes that line: what is read over it, or sent from a folder there, and what the comparison reads.
    Saturdays, Sundays and Thailand's public holidays (Python library `holidays`) are night all day long.
    """

    office: MbitPerSecond | None = None
    """In office hours; when absent as much as there is."""
    night: MbitPerSecond | None = None
    """At all other times; when absent as much as there is."""
    opens: Hour = time(8, 30)
    """When office hours begin (Asia/Bangkok)."""
    closes: Hour = time(16, 30)
    """When they end."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.office is None and self.night is None:
            raise ValueError("limits nothing: give `office`, `night`, or both")
        if self.opens >= self.closes:
            raise ValueError("office hours end on the day on which they begin: `opens` before `closes`")
        return self


class FilesWorkload(Part):
    """Files. Where they are, or the login for it, is the Airflow connection `agency_<pilot>_<name>`."""

    name: Slug
    engine: Literal["upload"]
    """`upload`: from the worker that sees the folder, or reads the source, to S3."""
    source: FilesSource | None = None
    """When absent a folder that every worker sees: the connection's extra `path`."""
    batches: Annotated[int, Field(ge=1, le=16)] = 2
    """Mapped tasks that upload at the same time, at most."""
    bandwidth: Bandwidth | None = None
    """When absent the line is taken as it comes."""
