"""KMS: a key that is switched off, or waits to be deleted, does no work."""

from __future__ import annotations

import json
from typing import Any

from moto.kms.models import Key, KmsBackend, kms_backends

from sandbox.state import AwsError, Call, SandboxState

DEFAULT_ROTATION_D = 365
WORK = (
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "ReEncrypt",
    "Sign",
    "Verify",
    "GenerateMac",
    "VerifyMac",
)


def install(state: SandboxState) -> None:
    """Puts the key states in front of moto, which ignores them."""
    for operation in WORK:
        state.check("kms", operation, check_works)
    state.check("kms", "Decrypt", check_decrypts)
    state.handle("kms", "EnableKeyRotation", turn)
    state.handle("kms", "GetKeyRotationStatus", turning)
    for operation in ("CreateKey", "PutKeyPolicy"):
        state.check("kms", operation, check_policy)


def check_works(call: Call) -> None:
    """The named key is enabled. A key that does not exist is moto's to refuse."""
    _check(_find(call, call.params.get("KeyId") or call.params.get("DestinationKeyId")))


def check_decrypts(call: Call) -> None:
    """The key that a ciphertext names in its first 36 bytes (moto's own format) is enabled."""
    named = call.params.get("KeyId") or bytes(call.params["CiphertextBlob"][:36]).decode("ascii", "replace")
    _check(_find(call, named))


def turn(call: Call) -> dict[str, Any]:
    """The key is renewed every RotationPeriodInDays, 365 unless said otherwise."""
    key = _existing(call)
    key.key_rotation_status = True
    key.rotation_period = int(call.params.get("RotationPeriodInDays") or DEFAULT_ROTATION_D)
    return {}


def turning(call: Call) -> dict[str, Any]:
    """Whether it is renewed, and how often; nothing here waits long enough to do it."""
    key = _existing(call)
    said: dict[str, Any] = {"KeyId": key.id, "KeyRotationEnabled": key.key_rotation_status}
    if key.key_rotation_status:
        said["RotationPeriodInDays"] = getattr(key, "rotation_period", DEFAULT_ROTATION_D)
    return said


def check_policy(call: Call) -> None:
    """A key policy is JSON with statements."""
    policy = call.params.get("Policy")
    if policy is None:
        return
    try:
        proper = bool(json.loads(policy)["Statement"])
    except (ValueError, KeyError, TypeError):
        proper = False
    if not proper:
        raise AwsError("MalformedPolicyDocumentException", "The key policy is no policy document.")


def _find(call: Call, named: str | None) -> Key | None:
    backend: KmsBackend = kms_backends[call.account][call.region]
    if named is None:
        return None
    try:
        found: Key | None = backend.keys.get(backend.any_id_to_key_id(named))
    except Exception:  # an id in a form that moto refuses by itself, in its own words
        return None
    return found


def _existing(call: Call) -> Any:
    key = _find(call, call.params["KeyId"])
    if key is None:
        raise AwsError("NotFoundException", f"Key '{call.params['KeyId']}' does not exist")
    _check(key)
    return key


def _check(key: Key | None) -> None:
    if key is None or key.key_state == "Enabled":
        return
    if key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
