"""The place that a files workload names, with the login that its connection holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from onboarding import aws
from onboarding.errors import AskPerson
from onboarding.look_ups import Resolver
from onboarding.manifest_files import BucketSource, FilesWorkload, SftpSource
from onboarding.places import SFTP_PORT, BucketFolder, Place, SftpFolder, WebFolder


@dataclass(frozen=True)
class FilesAccess:
    """What a connection says of a workload's files: the folder's path, or the login at its source.

    `key` is a private key as OpenSSH writes it, `token` that of temporary AWS credentials.
    """

    path: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    host_key: str = ""
    port: int | None = None


def place_of(workload: FilesWorkload, access: FilesAccess, region: str, resolve: Resolver) -> Place:
    """Where the workload's files are. Raises AskPerson for what the connection lacks.

    Nothing is looked for elsewhere: no key, agent or credentials of the worker's own are offered to a source.
    """
    if workload.source is None:
        if not access.path:
            raise AskPerson("files.no_path", where=workload.name)
        return Path(access.path)
    place = workload.source.place
    if isinstance(place, SftpSource):
        return _sftp(place, access, resolve)
    if isinstance(place, BucketSource):
        return _bucket(place, access, region)
    return WebFolder(place.url, access.user, access.password)


def _sftp(source: SftpSource, access: FilesAccess, resolve: Resolver) -> SftpFolder:
    if not access.user or not (access.password or access.key):
        raise AskPerson("files.no_login", where=f"sftp://{source.host}")
    host_key = source.host_key or access.host_key
    if not host_key:
        raise AskPerson("files.no_host_key", where=f"sftp://{source.host}")
    return SftpFolder(
        source.host, source.path, access.user, source.port or access.port or SFTP_PORT, access.password, access.key,
        host_key, resolve,
    )  # fmt: skip


def _bucket(source: BucketSource, access: FilesAccess, region: str) -> BucketFolder:
    if not access.user or not access.password:
        raise AskPerson("files.no_login", where=f"s3://{source.bucket}")
    session = aws.session(access.user, access.password, access.token or None)
    return BucketFolder(source.bucket, source.prefix, aws.Cloud(session, source.region or region, source.endpoint_url))
