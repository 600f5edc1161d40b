"""A body on its way to S3 whose bytes count as they go out, not as botocore signs them before."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from onboarding.bandwidth import Take, unlimited

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Body(Protocol):
    """What botocore sends."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


class Outgoing:
    """A stream that asks for the line before each piece that is sent; going back to its start ends the counting."""

    def __init__(self, stream: Body, take: Take) -> None:
        self._stream, self._take = stream, take
        self.counts = False
        self.tell = stream.tell

    def read(self, size: int = -1, /) -> bytes:
        block = self._stream.read(size)
        if self.counts and block:
            self._take(len(block))
        return block

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.counts = False
        return self._stream.seek(offset, whence)


def outgoing(body: bytes | Body, take: Take) -> Any:
    """The body as botocore takes it, counted unless the line is unlimited."""
    if take is unlimited:
        return body
    return Outgoing(BytesIO(body) if isinstance(body, bytes) else body, take)


def count_when_sent(s3: S3Client) -> None:
    """From now on what this client sends of an `Outgoing` counts, each attempt anew. Safe to repeat."""
    s3.meta.events.register_last("before-send.s3", _begin, unique_id="namrong-outgoing")


def _begin(request: Any, **_: Any) -> None:
    if isinstance(request.body, Outgoing):
        request.body.counts = True
