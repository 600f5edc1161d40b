"""Where an agency's files are: a folder this machine sees, one behind SFTP, part of a bucket, a listing on the web.

Values only: engines and verifier each reach such a place in their own way. `str()` never shows a password or a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from onboarding.aws import Cloud
from onboarding.look_ups import Resolver

SFTP_PORT = 22


def _as_it_is(host: str) -> str:
    return host


@dataclass(frozen=True)
class SftpFolder:
    """A folder of an SFTP server (SSH's file transfer, protocol version 3).

    With neither `password` nor `key` (private, as OpenSSH writes it) the machine's own keys and agent are offered.
    `host_key` is the server's public key (`ssh-ed25519 AAAA…`); without it the machine's `known_hosts` decides.
    """

    host: str
    path: str
    user: str
    port: int = SFTP_PORT
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    host_key: str = ""
    resolve: Resolver = field(default=_as_it_is, repr=False, compare=False)

    @property
    def address(self) -> str:
        """What to connect to: the host itself, unless `resolve` asks a name server of its own. Raises TryAgain."""
        return self.resolve(self.host)

    def __str__(self) -> str:
        path = self.path if self.path.startswith("/") else f"/~/{self.path}"
        return f"sftp://{self.user}@{self.host}:{self.port}{path}"


@dataclass(frozen=True)
class BucketFolder:
    """What lies under `prefix` (all when it is empty) in a bucket that speaks S3, with credentials of its own."""

    bucket: str
    prefix: str
    cloud: Cloud

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True)
class WebFolder:
    """A folder that a web server lists as a page (Apache's, nginx' or lighttpd's autoindex); `url` ends in a stroke."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.url


Place = Path | SftpFolder | BucketFolder | WebFolder
