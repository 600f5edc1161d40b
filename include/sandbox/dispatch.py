"""moto behind the gateway: which of its services answers, and what its answer says."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from moto.backends import list_of_moto_modules
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.state import AwsError
from sandbox.wire import Asked, Scope

MODULES = {"lambda": "awslambda"}
CODE = re.compile(r"<Code>\s*([^<]+?)\s*</Code>")


@dataclass
class Reply:
    """An answer whose body may still be on its way from a file."""

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]

    @property
    def code(self) -> int:
        """The HTTP status."""
        return int(self.status.split()[0])

    def buffer(self) -> bytes:
        """The whole body, held in memory from now on; only for errors, which are short."""
        whole = b"".join(self.body)
        close = getattr(self.body, "close", None)
        if close is not None:
            close()
        self.body = [whole]
        return whole


class Moto(DomainDispatcherApplication):
    """moto's own server, asked by the service that the gateway has already found out."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._modules = set(list_of_moto_modules())

    def application(self, asked: Asked, scope: Scope, environ: dict[str, Any]) -> Flask | None:
        """The Flask application of one service; None if moto has none."""
        with self.lock:
            backend = self._backend(asked, scope, environ)
            if backend is None:
                return None
            if backend not in self.app_instances:
                self.app_instances[backend] = self.create_app(backend)
            return self.app_instances[backend]

    def _backend(self, asked: Asked, scope: Scope, environ: dict[str, Any]) -> Any:
        if asked.service in ("s3", "s3control"):
            return asked.service
        host = None if scope.presigned else self.infer_service_region_host(environ, environ.get("PATH_INFO", ""))
        host = host or f"{asked.service}.{scope.region}.amazonaws.com"
        if host in self._modules:
            return host
        matching = (name for name, pattern in self.backend_url_patterns if pattern.match(f"http://{host}"))
        found = next(matching, None)
        module = MODULES.get(asked.service, asked.service).replace("-", "")
        return found or (module if module in self._modules else None)

    def answer(self, asked: Asked, scope: Scope, environ: dict[str, Any]) -> Reply | None:
        """moto's reply; None if moto lacks the service or the operation."""
        application = self.application(asked, scope, environ)
        if application is None:
            return None
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]

        try:
            body = application(environ, start_response)
        except NotImplementedError:
            return None
        reply = Reply(started[0], started[1], body)
        return None if _is_no_route(reply) else reply


def _is_no_route(reply: Reply) -> bool:
    """Flask's own 404 and 405 pages, and moto's empty 404: no answer of the service's."""
    if reply.code not in (404, 405):
        return False
    kind = next((value for name, value in reply.headers if name.lower() == "content-type"), "")
    body = reply.buffer()
    return b"<!doctype html>" in body[:100].lower() or (not body and kind.startswith("text/html"))


def error_code(reply: Reply) -> str | None:
    """AWS's error code in a failed reply, from its header or body."""
    if reply.code < 400:
        return None
    for name, value in reply.headers:
        if name.lower() == "x-amzn-errortype":
            return value.partition(":")[0]
    body = reply.buffer().decode("utf-8", "replace")
    if found := CODE.search(body):
        return found.group(1)
    try:
        said = json.loads(body)
        return str(said.get("__type") or said.get("code") or reply.code).rpartition("#")[2]
    except (ValueError, AttributeError):
        return str(reply.code)


def read_body(environ: dict[str, Any], most: int) -> bytes:
    """The request body, left in `environ` to be read again; AwsError above `most` bytes."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read(most + 1)
    else:
        body = stream.read(min(int(environ.get("CONTENT_LENGTH") or 0), most + 1))
    if len(body) > most:
        raise AwsError("RequestEntityTooLarge", f"a body of this call may have {most} bytes", 413)
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ.pop("wsgi.input_terminated", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return bytes(body)
