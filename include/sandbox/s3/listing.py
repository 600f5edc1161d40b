"""Listings in S3's order (UTF-8), with prefixes, delimiters and pages."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from moto.s3.models import FakeBucket

from sandbox.s3.store import Store, Version, bucket
from sandbox.state import AwsError, Call

MOST = 1000
LAST = "\U0010ffff"


def objects_v2(store: Store, call: Call) -> dict[str, Any]:
    """Current versions, a page from the continuation token on."""
    params = call.params
    after = _from_token(params["ContinuationToken"]) if params.get("ContinuationToken") else params.get("StartAfter")
    keys, prefixes, last = _page(store, params, after or "")
    encode = _encoder(params)
    told = _common(params, encode, prefixes) | {
        "Contents": [_object(version, encode) for version in keys],
        "KeyCount": len(keys) + len(prefixes),
        "IsTruncated": last is not None,
    }
    if last is not None:
        told["NextContinuationToken"] = base64.urlsafe_b64encode(last.encode()).decode()
    for name in ("ContinuationToken", "StartAfter"):
        if params.get(name):
            told[name] = params[name] if name == "ContinuationToken" else encode(params[name])
    return told


def objects(store: Store, call: Call) -> dict[str, Any]:
    """Current versions, a page from the marker on."""
    params = call.params
    keys, prefixes, last = _page(store, params, params.get("Marker") or "")
    encode = _encoder(params)
    told = _common(params, encode, prefixes) | {
        "Contents": [_object(version, encode) for version in keys],
        "Marker": encode(params.get("Marker") or ""),
        "IsTruncated": last is not None,
    }
    return told | ({"NextMarker": encode(last)} if last is not None and params.get("Delimiter") else {})


def versions(store: Store, call: Call) -> dict[str, Any]:
    """All versions and delete markers, newest first under each key."""
    params = call.params
    if params.get("Delimiter"):
        raise AwsError("NotImplemented", "the sandbox does not implement Delimiter of s3:ListObjectVersions", 501)
    most = _most(params)
    encode, found = _encoder(params), bucket(params["Bucket"])
    with store.lock:
        rest = _versions_after(store, found, params)
        page = rest[:most]
        told = _common(params, encode, []) | {
            "Versions": [_version(one, latest, encode) for one, latest in page if one.parts is not None],
            "DeleteMarkers": [_marker(one, latest, encode) for one, latest in page if one.parts is None],
            "IsTruncated": len(rest) > most,
            "KeyMarker": encode(params.get("KeyMarker") or ""),
            "VersionIdMarker": params.get("VersionIdMarker") or "",
        }
        if len(rest) > most and page:
            told |= {"NextKeyMarker": encode(page[-1][0].key), "NextVersionIdMarker": page[-1][0].id}
    return told


def _versions_after(store: Store, found: FakeBucket, params: Mapping[str, Any]) -> list[tuple[Version, bool]]:
    """(version, whether it is the latest) after the markers; hold the lock."""
    held = store.contents(found)
    prefix, key, version_id = params.get("Prefix") or "", params.get("KeyMarker") or "", params.get("VersionIdMarker")
    most = _most(params)
    result: list[tuple[Version, bool]] = []
    start = bisect_left(held.keys, max(prefix, key)) if version_id else bisect_right(held.keys, key)
    for name in held.keys[max(start, bisect_left(held.keys, prefix)) :]:
        if not name.startswith(prefix) or len(result) > most:
            break
        newest_first = list(reversed(held.versions[name]))
        skip = 0
        if version_id and name == key:
            skip = next((n + 1 for n, one in enumerate(newest_first) if one.id == version_id), 0)
        result += [(one, n == 0) for n, one in enumerate(newest_first) if n >= skip]
    return result


def _page(store: Store, params: Mapping[str, Any], after: str) -> tuple[list[Version], list[str], str | None]:
    """(versions, common prefixes, the last name told if there is more)."""
    prefix, delimiter, most = params.get("Prefix") or "", params.get("Delimiter") or "", _most(params)
    found = bucket(params["Bucket"])
    told: list[Version] = []
    prefixes: list[str] = []
    last = ""
    with store.lock:
        held = store.contents(found)
        place = max(bisect_right(held.keys, after), bisect_left(held.keys, prefix))
        if delimiter and after.endswith(delimiter):  # the last page ended with a common prefix: go behind it
            place = max(place, bisect_left(held.keys, after + LAST))
        while place < len(held.keys) and held.keys[place].startswith(prefix):
            key = held.keys[place]
            current = held.versions[key][-1]
            place += 1
            if current.parts is None:
                continue
            if len(told) + len(prefixes) >= most:
                return told, prefixes, last or None
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                last = key[: cut + len(delimiter)]
                prefixes.append(last)
                place = bisect_left(held.keys, last + LAST)
            else:
                last = key
                told.append(current)
    return told, prefixes, None


def _most(params: Mapping[str, Any]) -> int:
    most = params.get("MaxKeys")
    if most is not None and most < 0:
        raise AwsError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    return MOST if most is None else min(int(most), MOST)


def _encoder(params: Mapping[str, Any]) -> Callable[[str], str]:
    if params.get("EncodingType") == "url":
        return lambda text: quote(text, safe="/*-._")
    return lambda text: text


def _common(params: Mapping[str, Any], encode: Callable[[str], str], prefixes: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Name": params["Bucket"],
        "Prefix": encode(params.get("Prefix") or ""),
        "MaxKeys": _most(params),
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in prefixes],
    }
    if params.get("Delimiter"):
        told["Delimiter"] = encode(params["Delimiter"])
    return told | ({"EncodingType": "url"} if params.get("EncodingType") == "url" else {})


def _object(version: Version, encode: Callable[[str], str]) -> dict[str, Any]:
    return {
        "Key": encode(version.key),
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.told.get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": list(version.checksums),
        "ChecksumType": version.checksum_type,
    }


def _version(version: Version, latest: bool, encode: Callable[[str], str]) -> dict[str, Any]:
    return _object(version, encode) | {"VersionId": version.id, "IsLatest": latest}


def _marker(version: Version, latest: bool, encode: Callable[[str], str]) -> dict[str, Any]:
    return {"Key": encode(version.key), "VersionId": version.id, "IsLatest": latest, "LastModified": version.modified}


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from problem


OPERATIONS = {"ListObjectsV2": objects_v2, "ListObjects": objects, "ListObjectVersions": versions}
