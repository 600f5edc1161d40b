"""Answers in AWS's own shapes: results and errors, in the protocol of the service that was asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class

from sandbox.state import AwsError
from sandbox.wire import Asked


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    code: str | None = None


def not_implemented(asked: Asked) -> AwsError:
    """501, which botocore does not retry: the sandbox says at once what it lacks."""
    return AwsError("NotImplemented", f"the sandbox does not implement {asked.service}:{asked.operation}", 501)


def result(asked: Asked, content_type: str, members: Mapping[str, Any]) -> Answer:
    """A success with the members of the operation's output shape."""
    serialized = _serializer(asked, content_type).serialize(dict(members))
    return _answer(serialized)


def error(asked: Asked | None, content_type: str, failure: AwsError) -> Answer:
    """A failure as the service itself would word it."""
    if asked is None or asked.model is None:
        return _plain_error(content_type, failure)
    answer = _answer(_serializer(asked, content_type).serialize(failure))
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "x-amzn-errortype"}
    headers["x-amzn-errortype"] = failure.code
    return Answer(failure.status, headers, answer.body, failure.code)


def _serializer(asked: Asked, content_type: str) -> Any:
    if asked.model is None:
        raise AwsError("UnknownOperationException", asked.operation, 404)
    protocol = determine_request_protocol(asked.model.service_model, content_type)
    return get_serializer_class(asked.service, protocol)(operation_model=asked.model)


def _answer(serialized: Any) -> Answer:
    body = serialized["body"]
    headers = {name: str(value) for name, value in serialized["headers"].items()}
    headers["x-amzn-requestid"] = str(uuid.uuid4())
    return Answer(serialized["status_code"], headers, body if isinstance(body, bytes) else str(body).encode())


def _plain_error(content_type: str, failure: AwsError) -> Answer:
    """For a service or operation that botocore has no model of: the shape that the request's own format suggests."""
    headers = {"x-amzn-errortype": failure.code, "x-amzn-requestid": str(uuid.uuid4())}
    if "json" in content_type:
        body = json.dumps({"__type": failure.code, "message": failure.message})
        return Answer(failure.status, headers | {"Content-Type": "application/json"}, body.encode(), failure.code)
    inner = f"<Code>{escape(failure.code)}</Code><Message>{escape(failure.message)}</Message>"
    body = f"<ErrorResponse><Error>{inner}</Error><RequestId>{headers['x-amzn-requestid']}</RequestId></ErrorResponse>"
    return Answer(failure.status, headers | {"Content-Type": "text/xml"}, body.encode(), failure.code)
