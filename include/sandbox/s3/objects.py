"""Objects written whole, and what can be told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from moto.backends import get_backend
from moto.s3.models import FakeBucket

from sandbox.s3 import body, checksums, locks
from sandbox.s3.store import Part, Store, Version, bucket, discard, new_version_id, versioned
from sandbox.state import AwsError, Call

TOLD = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata",
    "StorageClass", "WebsiteRedirectLocation",
)  # fmt: skip
ABSENT = (
    "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP", "SSECustomerAlgorithm", "SSECustomerKey",
    "WriteOffsetBytes", "ObjectLockEventHold", "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears",
)  # fmt: skip
CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING")
LONGEST_KEY = 1024
MOST_TAGS = 10


def put(store: Store, call: Call) -> dict[str, Any]:
    """A new version of the object; a claimed checksum that is wrong, or a condition that fails, leaves nothing."""
    params = call.params
    found = bucket(params["Bucket"])
    attributes = described(store, found, call)
    if (params.get("ObjectLockMode") or found.has_default_lock) and not _has_integrity(call):
        raise AwsError(
            "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with "
            "Object Lock parameters",
        )  # fmt: skip
    conditions(store, found, params)  # at once, before a large body is sent for nothing
    received = body.receive(call, store.new_file(), _algorithms(params))
    part = Part(received.path, received.size, received.md5, received.checksums)
    version = Version(
        params["Key"], new_version_id(found), store.now(), (part,), received.md5, received.checksums, **attributes
    )
    commit(store, found, version, params)
    return answer(found, version) | {"Size": None}


def commit(store: Store, found: FakeBucket, version: Version, params: Mapping[str, Any]) -> None:
    """The version becomes current, if its conditions still hold."""
    try:
        with store.lock:
            conditions(store, found, params)
            store.add(found, version)
    except AwsError:
        discard(version.parts or ())
        raise


def conditions(store: Store, found: FakeBucket, params: Mapping[str, Any]) -> None:
    """If-None-Match: * and If-Match, as S3 has them for writes."""
    if_none, if_match = params.get("IfNoneMatch"), params.get("IfMatch")
    if if_none is None and if_match is None:
        return
    if if_none not in (None, "*"):
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    with store.lock:
        versions = store.contents(found).versions.get(params["Key"], [])
        current = versions[-1] if versions and versions[-1].parts is not None else None
    if if_match is not None and current is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    failed = current is not None and (if_none == "*" or (if_match is not None and if_match.strip('"') != current.etag))
    if failed:
        raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)


def described(store: Store, found: FakeBucket, call: Call) -> dict[str, Any]:
    """The checked attributes that a write gives an object: what is told back, tags, lock."""
    params = call.params
    absent = [name for name in ABSENT if params.get(name)]
    if absent or params.get("ACL") not in (None, "private", "bucket-owner-full-control"):
        raise AwsError("NotImplemented", f"the sandbox does not implement {absent or 'public ACLs'} of S3", 501)
    if len(params["Key"].encode()) > LONGEST_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long")
    if params.get("StorageClass") not in (None, *CLASSES):
        raise AwsError("InvalidStorageClass", "The storage class you specified is not valid")
    told = {name: params[name] for name in TOLD if params.get(name)}
    if "Metadata" in told:  # S3 keeps the names in lower case; a WSGI server capitalizes them
        told["Metadata"] = {name.lower(): value for name, value in told["Metadata"].items()}
    if "ContentEncoding" in told:
        kept = [word for word in str(told["ContentEncoding"]).split(",") if word.strip() != "aws-chunked"]
        told["ContentEncoding"] = ",".join(kept) or None
    return {
        "told": told | _encryption(found, call),
        "tags": header_tags(params.get("Tagging")),
        **locks.of_new(store, found, params),
    }


def header_tags(header: str | None) -> dict[str, str]:
    """Tags as a write carries them (a query string)."""
    tags = dict(parse_qsl(header or "", keep_blank_values=True))
    if len(tags) > MOST_TAGS:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {MOST_TAGS}")
    return tags


def answer(found: FakeBucket, version: Version) -> dict[str, Any]:
    """What a write answers: the server's own checksums."""
    told = {"ETag": f'"{version.etag}"', **checksums.members(version.checksums), "ChecksumType": version.checksum_type}
    for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"):
        if name in version.told:
            told[name] = version.told[name]
    return told | ({"VersionId": version.id} if versioned(found) else {})


def attributes(store: Store, call: Call) -> dict[str, Any]:
    """GetObjectAttributes: the asked ones, checksums and parts included."""
    params = call.params
    found = bucket(params["Bucket"])
    version = store.version(found, params["Key"], params.get("VersionId"))
    wanted = set(params["ObjectAttributes"])
    told: dict[str, Any] = {"LastModified": version.modified}
    if versioned(found):
        told["VersionId"] = version.id
    if "ETag" in wanted:
        told["ETag"] = version.etag
    if "Checksum" in wanted:
        told["Checksum"] = {**checksums.members(version.checksums), "ChecksumType": version.checksum_type}
    if "StorageClass" in wanted:
        told["StorageClass"] = version.told.get("StorageClass", "STANDARD")
    if "ObjectSize" in wanted:
        told["ObjectSize"] = version.size
    if "ObjectParts" in wanted and "-" in version.etag:
        told["ObjectParts"] = _parts(version, params)
    return told


def _parts(version: Version, params: Mapping[str, Any]) -> dict[str, Any]:
    most, marker = int(params.get("MaxParts") or 1000), int(params.get("PartNumberMarker") or 0)
    parts = [part for part in version.parts or () if part.number > marker]
    page = parts[:most]
    told = [{"PartNumber": p.number, "Size": p.size, **checksums.members(dict(p.checksums))} for p in page]
    return {
        "TotalPartsCount": len(version.parts or ()),
        "PartNumberMarker": str(marker),
        "NextPartNumberMarker": str(page[-1].number if page else marker),
        "MaxParts": most,
        "IsTruncated": len(parts) > most,
        "Parts": told if version.checksum_type == "COMPOSITE" else [],
    }


def _algorithms(params: Mapping[str, Any]) -> list[str]:
    if params.get("ChecksumAlgorithm"):
        return [str(params["ChecksumAlgorithm"]).upper()]
    return [] if checksums.named(params) else [checksums.DEFAULT]


def _has_integrity(call: Call) -> bool:
    return bool(call.params.get("ContentMD5") or checksums.named(call.params) or call.environ.get("HTTP_X_AMZ_TRAILER"))


def _encryption(found: FakeBucket, call: Call) -> dict[str, Any]:
    """As asked, else as the bucket does by default, else S3's own keys."""
    rule = ((found.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
    kind = call.params.get("ServerSideEncryption") or rule.get("SSEAlgorithm") or "AES256"
    if kind == "AES256":
        return {"ServerSideEncryption": kind}
    if kind != "aws:kms":
        raise AwsError("NotImplemented", f"the sandbox does not implement {kind} of S3", 501)
    named = call.params.get("SSEKMSKeyId") or (
        None if call.params.get("ServerSideEncryption") else rule.get("KMSMasterKeyID")
    )
    if named is None:
        return {"ServerSideEncryption": kind}
    return {"ServerSideEncryption": kind, "SSEKMSKeyId": _key(str(named), found)}


def _key(named: str, found: FakeBucket) -> str:
    """The ARN of a key that exists and is enabled."""
    account, region = (named.split(":")[4], named.split(":")[3]) if named.startswith("arn:") else (
        found.account_id, found.region_name
    )  # fmt: skip
    kms = get_backend("kms")[account][region]
    try:
        key = kms.keys[kms.get_key_id(kms.any_id_to_key_id(named))]
    except KeyError as failure:
        raise AwsError("KMS.NotFoundException", f"Key '{named}' does not exist") from failure
    if not key.enabled:
        raise AwsError("KMS.DisabledException", f"{key.arn} is disabled.")
    return str(key.arn)


OPERATIONS = {"PutObject": put, "GetObjectAttributes": attributes}
