"""The quick way for small files: obstore signs, hashes and sends them outside Python's lock, many at a time.

It carries If-None-Match, SHA-256 as S3's checksum and as the signed payload, and user metadata. What it does not say is
why something failed: that is asked again through botocore, whose errors we have words for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Credential

FAILURES = 20
"""So many in a row, and the way counts as closed (a proxy or certificate that only botocore was told about)."""

CREDENTIALS_FOR = timedelta(minutes=5)
"""After this long botocore is asked again: it renews what is about to end."""

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


class Lane:
    """One bucket, reached with the credentials and the address that the boto3 client has. Threads share it."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._failures = 0
        address = address_of(s3, bucket)
        self._store = S3Store(
            bucket, endpoint=address, virtual_hosted_style_request=True, region=s3.meta.region_name,
            checksum_algorithm="SHA256", credential_provider=_credentials(s3),
            client_options={
                "allow_http": urlsplit(address).scheme == "http", "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(minutes=10), "user_agent": "namrong",
            },
            # the rest of the retries is botocore's
            retry_config={"max_retries": 2, "retry_timeout": timedelta(minutes=1)},
        )  # fmt: skip

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        """The ETag of the object that was made, never in place of another; None when it was not, for any reason."""
        if self._failures >= FAILURES:
            return None
        try:
            made = obstore.put(
                self._store, key, body, attributes=dict(metadata), mode="create", use_multipart=False
            )  # fmt: skip
        except ValueError:  # a key that obstore cannot hold: a control character, an empty step
            return None
        except BaseError:
            self._failures += 1
            return None
        self._failures = 0
        return made["e_tag"]


def address_of(s3: S3Client, bucket: str) -> str:
    """The bucket's URL at the client's endpoint, without a stroke at the end.

    AWS's own endpoints have the bucket in the host's name (S3 User Guide, "Virtual hosting of general purpose
    buckets"), unless a certificate could not cover it; all others have it in the path.
    """
    url = urlsplit(s3.meta.endpoint_url)
    if url.netloc.startswith("s3.") and url.netloc.endswith(AWS_HOSTS) and "." not in bucket:
        return f"{url.scheme}://{bucket}.{url.netloc}"
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}/{bucket}"


def _credentials(s3: S3Client) -> Callable[[], S3Credential]:
    client: Any = s3  # boto3's own CRT transfer asks its client the same way; there is no other

    def current() -> S3Credential:
        frozen = client._get_credentials().get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key, "secret_access_key": frozen.secret_key, "token": frozen.token,
            "expires_at": datetime.now(UTC) + CREDENTIALS_FOR,
        }  # fmt: skip

    return current
