"""Multipart uploads under way, and the parts that have arrived."""

from __future__ import annotations

from typing import Any

from sandbox.s3 import checksums
from sandbox.s3.store import Part, Store, bucket
from sandbox.state import AwsError, Call


def list_parts(store: Store, call: Call) -> dict[str, Any]:
    """The parts that have arrived."""
    params = call.params
    upload = store.upload(bucket(params["Bucket"]), params["Key"], params["UploadId"])
    marker, most = int(params.get("PartNumberMarker") or 0), min(int(params.get("MaxParts") or 1000), 1000)
    with store.lock:
        rest = [part for number, part in sorted(upload.parts.items()) if number > marker]
    page = rest[:most]
    told: dict[str, Any] = {
        "Bucket": params["Bucket"],
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": str(marker),
        "NextPartNumberMarker": str(page[-1].number if page else marker),
        "MaxParts": most,
        "IsTruncated": len(rest) > most,
        "Parts": [_part(part) for part in page],
        "StorageClass": "STANDARD",
    }
    return told | (
        {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type} if upload.algorithm else {}
    )


def list_uploads(store: Store, call: Call) -> dict[str, Any]:
    """The uploads under way, all on one page."""
    params = call.params
    if params.get("Delimiter") or params.get("KeyMarker"):
        raise AwsError("NotImplemented", "the sandbox lists all multipart uploads on one page", 501)
    with store.lock:
        held = list(store.contents(bucket(params["Bucket"])).uploads.values())
    mine = [
        one for one in sorted(held, key=lambda one: (one.key, one.id)) if one.key.startswith(params.get("Prefix") or "")
    ]
    uploads = [
        {"Key": one.key, "UploadId": one.id, "Initiated": one.started, "StorageClass": "STANDARD"} for one in mine
    ]
    return {"Bucket": params["Bucket"], "Uploads": uploads, "IsTruncated": False, "MaxUploads": max(1000, len(uploads))}


def _part(part: Part) -> dict[str, Any]:
    told = {"PartNumber": part.number, "ETag": f'"{part.md5}"', "Size": part.size, "LastModified": part.modified}
    return told | checksums.members(part.checksums)


OPERATIONS = {"ListParts": list_parts, "ListMultipartUploads": list_uploads}
