"""Who signed a call: access keys that exist, in accounts that are open, with the secret that belongs to them."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole

from sandbox.state import AwsError
from sandbox.wire import Scope

PARTITION = "aws"


@dataclass(frozen=True)
class Identity:
    """One signer. `arn` is a user's, a role session's, or for AWS's own services their name."""

    account: str
    arn: str
    secret: str
    token: str | None = None
    expires: datetime | None = None


class Identities:
    """The access keys of this sandbox: users' from moto's IAM, role sessions' as STS hands them out."""

    def __init__(self) -> None:
        self._sessions: dict[str, Identity] = {}

    def remember(self, session: AssumedRole) -> None:
        """A role session that STS has just opened."""
        self._sessions[session.access_key_id] = Identity(
            session.account_id,
            session.arn,
            session.secret_access_key,
            session.session_token,
            session.expiration.replace(tzinfo=UTC),
        )

    def of_service(self, principal: str, account: str) -> tuple[str, str]:
        """(access key, secret key) with which the AWS service `principal` acts in `account`."""
        access_key, secret = "AIDA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
        self._sessions[access_key] = Identity(account, principal, secret)
        return access_key, secret

    def find(self, access_key: str) -> Identity | None:
        """Whose key it is; None if nobody's, or switched off."""
        if access_key in self._sessions:
            return self._sessions[access_key]
        for account, partitions in list(iam_backends.items()):
            backend = partitions[PARTITION]
            key = backend.access_keys.get(access_key)
            if key is not None and key.status == "Active" and key.role_arn is None:
                user = backend.get_user_from_access_key_id(access_key)
                return Identity(account, user.arn, key.secret_access_key) if user else None
        return None


def verify(environ: dict[str, Any], scope: Scope, identity: Identity, body: bytes | None) -> None:
    """Refuses a stale session, a wrong session token and a wrong signature; `body` None: left on the wire.

    A presigned URL is taken at its word except for the token: it is signed over another canonical form.
    """
    if identity.expires is not None and identity.expires <= datetime.now(UTC):
        raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)
    if scope.presigned:
        return
    if identity.token is not None and not hmac.compare_digest(
        identity.token, environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
    ):
        raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid", 403)
    claimed = environ["HTTP_AUTHORIZATION"].rpartition("Signature=")[2].strip()
    if not hmac.compare_digest(claimed, _signature(environ, scope, identity, body)):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
            403,
        )


def _signature(environ: dict[str, Any], scope: Scope, identity: Identity, body: bytes | None) -> str:
    """What the signature of this request has to be, by botocore's own signer."""
    signed = environ["HTTP_AUTHORIZATION"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: _header(environ, name) for name in signed}
    query = environ.get("QUERY_STRING", "")
    url = f"http://{environ.get('HTTP_HOST', '')}{_raw_path(environ)}" + (f"?{query}" if query else "")
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers, data=body or b"")
    request.context["timestamp"] = _header(environ, "x-amz-date")
    signer = S3SigV4Auth if scope.signing_name == "s3" else SigV4Auth
    auth = signer(Credentials(scope.access_key, identity.secret), scope.signing_name, scope.region)
    canonical = auth.canonical_request(request)
    return str(auth.signature(auth.string_to_sign(request, canonical), request))


def _header(environ: dict[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", ""))


def _raw_path(environ: dict[str, Any]) -> str:
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    return raw.partition("?")[0] or "/"
