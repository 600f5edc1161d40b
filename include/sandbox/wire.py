"""Which service and operation an HTTP request asks for, read from its signature and botocore's own models."""

from __future__ import annotations

import functools
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import botocore
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request body that is held in memory; object bodies are not (see `Asked.streams`)."""


@dataclass(frozen=True)
class Scope:
    """What a signature claims: who signs, for which region and service. Not yet believed."""

    access_key: str
    day: str
    region: str
    signing_name: str
    presigned: bool


@dataclass(frozen=True)
class Asked:
    """One operation of one service, as boto3 names them. `model` is None when botocore has no such operation."""

    service: str
    operation: str
    model: OperationModel | None
    uri: dict[str, Any]

    @property
    def streams(self) -> bool:
        """Whether the body is an object of any size and must be left on the wire."""
        return self.model is not None and self.service == "s3" and bool(self.model.has_streaming_input)


def scope(environ: dict[str, Any]) -> Scope | None:
    """The signature's claim (header or presigned URL), None for an unsigned request."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    if header.startswith("AWS4-HMAC-SHA256") and (found := CREDENTIAL.search(header)):
        return _scope(found, presigned=False)
    query = parse_qs(environ.get("QUERY_STRING", ""))
    claimed = "Credential=" + query.get("X-Amz-Credential", [""])[0]
    if found := CREDENTIAL.fullmatch(claimed):
        return _scope(found, presigned=True)
    return None


def _scope(found: re.Match[str], *, presigned: bool) -> Scope:
    access_key, day, region, signing_name = found.groups()
    return Scope(access_key, day, region, signing_name, presigned)


def identify(environ: dict[str, Any], signing_name: str, body: bytes) -> Asked:
    """The operation that the request asks for; RPC protocols need the `body`, REST ones do not."""
    services = candidates(signing_name, environ)
    for service in services:
        try:
            model, uri = get_service_router(service).match(request_for(environ, body))
        except (HTTPException, NotImplementedError, UnicodeDecodeError):
            continue
        return Asked(service, str(model.name), model, uri)
    return Asked(services[0], _claimed_operation(environ, body), None, {})


def candidates(signing_name: str, environ: dict[str, Any]) -> list[str]:
    """boto3's service names that sign as `signing_name`, the likeliest first."""
    if signing_name == "s3":
        return ["s3control"] if environ.get("PATH_INFO", "").startswith("/v20180820/") else ["s3"]
    names = signing_names().get(signing_name, [signing_name])
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[0]
    return sorted(names, key=lambda name: (bool(target) and target != target_prefix(name), name != signing_name, name))


def request_for(environ: dict[str, Any], body: bytes) -> Request:
    """A moto request over a copy of `environ`, so that parsing it leaves the original unread."""
    copied = {key: value for key, value in environ.items() if not key.startswith("werkzeug.request")}
    copied |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    copied.pop("wsgi.input_terminated", None)
    return Request(copied)


def parameters(asked: Asked, environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The operation's input members; timestamps are naive UTC, blobs bytes."""
    if asked.model is None:
        return {}
    request = request_for(environ, body)
    protocol = determine_request_protocol(asked.model.service_model, request.content_type)
    parsed = PROTOCOL_PARSERS[protocol](asked.model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": asked.uri,
        }
    )
    return {name: value for name, value in parsed.items() if value is not None}


@functools.cache
def _heads() -> dict[str, str]:
    """The first bytes of every service model, where its metadata is: loading all models would take seconds."""
    heads = {}
    for folder in sorted((Path(botocore.__file__).parent / "data").iterdir()):
        versions = sorted(folder.glob("*/service-2.json.gz"))
        if versions:
            with gzip.open(versions[-1]) as model:
                heads[folder.name] = model.read(4000).decode("utf-8", "replace")
    return heads


def _metadata(head: str, name: str) -> str:
    found = re.search(rf'"{name}"\s*:\s*"([^"]+)"', head)
    return found.group(1) if found else ""


@functools.cache
def signing_names() -> dict[str, list[str]]:
    """boto3's service names by the name they sign with."""
    names: dict[str, list[str]] = {}
    for service, head in _heads().items():
        names.setdefault(_metadata(head, "signingName") or _metadata(head, "endpointPrefix"), []).append(service)
    return names


@functools.cache
def target_prefix(service: str) -> str:
    """The X-Amz-Target prefix of a JSON service, "" for others."""
    return _metadata(_heads().get(service, ""), "targetPrefix")


def _claimed_operation(environ: dict[str, Any], body: bytes) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if target:
        return str(target)
    action = parse_qs(body[:10_000].decode("utf-8", "replace")).get("Action", [""])[0]
    return action or f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
