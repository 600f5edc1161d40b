"""Every AWS call goes through here: who asks, for what, may it, what happens, and what is written down."""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from sandbox import answers, audit, wire
from sandbox.admin import Admin
from sandbox.dispatch import Moto, Reply, error_code, read_body
from sandbox.faults import Fault, Faults
from sandbox.identity import Identities, verify
from sandbox.refusals import unknown_credentials
from sandbox.state import AwsError, Call, SandboxState
from sandbox.wire import Asked, Scope

log = logging.getLogger("sandbox")
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Request:
    """One call, whose signer is known by now."""

    asked: Asked
    scope: Scope
    call: Call
    environ: dict[str, Any]

    @property
    def content_type(self) -> str:
        """As the client declared it."""
        return str(self.environ.get("CONTENT_TYPE", ""))


class Gateway:
    """The WSGI application of the sandbox."""

    def __init__(self, state: SandboxState, identities: Identities, log_: audit.Audit, token: str) -> None:
        self._state, self._identities, self._audit = state, identities, log_
        self._faults = Faults()
        self._moto = Moto()
        self._admin = Admin(state, log_, self._faults, token)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_sandbox/"):
            reply = self._admin.answer(environ)
        else:
            reply = self._aws(environ)
        start_response(reply.status, reply.headers)
        return reply.body

    def _aws(self, environ: dict[str, Any]) -> Reply:
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)
        asked: Asked | None = None
        try:
            scope = wire.scope(environ)
            if scope is None:
                raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
            asked = wire.identify(environ, scope.signing_name, b"")
            body = None if asked.streams else read_body(environ, wire.MAX_BODY)
            if body and asked.model is None:
                asked = wire.identify(environ, scope.signing_name, body)
            request = self._request(environ, scope, asked, body)
        except AwsError as refused:
            drain(environ)
            return _reply(answers.error(asked, environ.get("CONTENT_TYPE", ""), refused))
        return self._audited(request)

    def _request(self, environ: dict[str, Any], scope: Scope, asked: Asked, body: bytes | None) -> Request:
        """The call with its signer's account; refuses a signer who is not who he says."""
        identity = self._identities.find(scope.access_key)
        if identity is None:
            raise unknown_credentials(asked.service)
        verify(environ, scope, identity, body)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = identity.account
        try:
            params = wire.parameters(asked, environ, body or b"")
        except Exception as problem:
            raise AwsError("SerializationException", f"the request cannot be read: {problem}") from problem
        call = Call(asked.service, asked.operation, identity.account, scope.region, params, identity.arn, environ)
        return Request(asked, scope, call, environ)

    def _audited(self, request: Request) -> Reply:
        fault = self._faults.take(request.call.service, request.call.operation)
        if fault is not None and fault.kind == "delay":
            time.sleep(fault.seconds)
        reply = self._refusable(request, fault)
        if audit.mutates(request.call.operation) and not request.call.by_service:
            self._audit.record(
                account=request.call.account,
                region=request.call.region,
                service=request.call.service,
                action=request.call.operation,
                params=request.call.params,
                status=reply.code,
                error=error_code(reply),
                fault=fault.kind if fault else None,
            )
        if fault is not None and fault.kind == "lost_reply":
            reset(request.environ)
        return reply

    def _refusable(self, request: Request, fault: Fault | None) -> Reply:
        """The reply, with every refusal and every accident of moto's in AWS's own shape."""
        try:
            if fault is not None and fault.kind == "error":
                raise AwsError(fault.code, fault.message, fault.status)
            return self._answer(request)
        except AwsError as problem:
            refused = problem
        except ServiceException as problem:
            refused = AwsError(problem.code, problem.message)
        except HTTPException as problem:
            code = getattr(problem, "error_type", None) or problem.name.replace(" ", "")
            refused = AwsError(code, str(getattr(problem, "message", problem.description)), problem.code or 400)
        except Exception as accident:
            log.exception("%s:%s failed inside the sandbox", request.call.service, request.call.operation)
            refused = AwsError("InternalFailure", f"the sandbox failed: {type(accident).__name__}: {accident}", 500)
        drain(request.environ)
        return _reply(answers.error(request.asked, request.content_type, refused))

    def _answer(self, request: Request) -> Reply:
        state, call = self._state, request.call
        key = call.service, call.operation
        for check in (*state.guards, *state.checks.get(key, ())):
            check(call)
        if handler := state.handlers.get(key):
            return _reply(answers.result(request.asked, request.content_type, handler(call) or {}))
        if raw := state.raw_handlers.get(key):
            started: list[Any] = []
            body = raw(request.environ, lambda status, headers, *_: started.extend((status, headers)))
            return Reply(started[0], started[1], body)
        reply = self._moto.answer(request.asked, request.scope, request.environ)
        if reply is None:
            raise answers.not_implemented(request.asked)
        return reply


def _reply(answer: answers.Answer) -> Reply:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    return Reply(f"{answer.status} {'OK' if answer.status < 400 else 'Error'}", list(headers.items()), [answer.body])


def drain(environ: dict[str, Any]) -> None:
    """Reads what is left of the request: closing on unread bytes would reset the connection and lose the answer."""
    stream, left = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    if environ.get("wsgi.input_terminated"):
        while stream.read(1 << 16):
            pass
        return
    try:
        while left > 0 and (chunk := stream.read(min(left, 1 << 16))):
            left -= len(chunk)
    except (OSError, ValueError):
        return


def reset(environ: dict[str, Any]) -> None:
    """Drops the connection without a word, as a network does; the effect has happened."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError("a scripted lost reply")
