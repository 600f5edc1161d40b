"""Multipart uploads: parts are files, completion joins their names and not their bytes.

Source: Amazon S3 API reference, CreateMultipartUpload to CompleteMultipartUpload; user guide, "Checking object
integrity" for composite and full-object checksums.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.s3 import body, checksums, objects
from sandbox.s3.store import Part, Store, Upload, Version, bucket, discard, new_version_id, read
from sandbox.state import AwsError, Call

SMALLEST_PART = 5 * 1024 * 1024
MOST_PARTS = 10_000
BLOCK = 1 << 20
FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"


def create(store: Store, call: Call) -> dict[str, Any]:
    """An upload that waits for its parts."""
    params = call.params
    found = bucket(params["Bucket"])
    attributes = objects.described(store, found, call)  # refuses now what completion would have to refuse
    algorithm = str(params["ChecksumAlgorithm"]).upper() if params.get("ChecksumAlgorithm") else None
    kind = _checksum_type(algorithm, params.get("ChecksumType"))
    upload = Upload(secrets.token_urlsafe(48), params["Key"], call.account, store.now(), algorithm, kind, attributes)
    with store.lock:
        store.contents(found).uploads[upload.id] = upload
    told = {"Bucket": params["Bucket"], "Key": upload.key, "UploadId": upload.id}
    told |= {
        name: value for name, value in attributes["told"].items() if name in ("ServerSideEncryption", "SSEKMSKeyId")
    }
    return told | ({"ChecksumAlgorithm": algorithm, "ChecksumType": kind} if algorithm else {})


def upload_part(store: Store, call: Call) -> dict[str, Any]:
    """One part, checked; an earlier one of its number goes."""
    params = call.params
    found = bucket(params["Bucket"])
    upload = store.upload(found, params["Key"], params["UploadId"])
    number = int(params["PartNumber"])
    if not 1 <= number <= MOST_PARTS:
        raise AwsError("InvalidArgument", f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive")
    algorithm = upload.algorithm or checksums.DEFAULT
    received = body.receive(call, store.new_file(), [algorithm])
    strange = sorted(set(received.checksums) - {algorithm})
    if strange and upload.algorithm is not None:
        received.path.unlink(missing_ok=True)
        raise AwsError(
            "InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: {algorithm.lower()}, "
            f"actual checksum Type: {strange[0].lower()}",
        )  # fmt: skip
    part = Part(received.path, received.size, received.md5, received.checksums, number, store.now())
    with store.lock:
        try:
            store.upload(found, upload.key, upload.id)
        except AwsError:
            discard([part])  # aborted or completed while the part was on its way
            raise
        earlier = upload.parts.get(number)
        upload.parts[number] = part
    discard([earlier] if earlier else [])
    told = {"ETag": f'"{part.md5}"', "ServerSideEncryption": upload.params["told"].get("ServerSideEncryption")}
    return told | checksums.members(
        {k: v for k, v in received.checksums.items() if upload.algorithm or k in checksums.named(params)}
    )


def complete(store: Store, call: Call) -> dict[str, Any]:
    """The parts as one object, when every claim about them holds."""
    params = call.params
    found = bucket(params["Bucket"])
    upload = store.upload(found, params["Key"], params["UploadId"])
    parts = _chosen(upload, (params.get("MultipartUpload") or {}).get("Parts") or [])
    size = sum(part.size for part in parts)
    if params.get("MpuObjectSize") is not None and int(params["MpuObjectSize"]) != size:
        raise AwsError("InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match what was computed")
    algorithm = upload.algorithm or checksums.DEFAULT
    if upload.checksum_type == COMPOSITE:
        value = checksums.composite(algorithm, [part.checksums[algorithm] for part in parts])
    else:
        value = _of_all(algorithm, parts, size)
    _check_claims(params, algorithm, value)
    etag = hashlib.md5(b"".join(bytes.fromhex(part.md5) for part in parts), usedforsecurity=False).hexdigest()
    version = Version(
        upload.key, new_version_id(found), store.now(), parts, f"{etag}-{len(parts)}", {algorithm: value},
        upload.checksum_type, **upload.params,
    )  # fmt: skip
    with store.lock:
        store.upload(found, upload.key, upload.id)
        objects.conditions(store, found, params)
        store.add(found, version)
        del store.contents(found).uploads[upload.id]
    discard(part for part in upload.parts.values() if part not in parts)
    told = objects.answer(found, version)
    return told | {"Bucket": params["Bucket"], "Key": upload.key, "Location": f"/{params['Bucket']}/{upload.key}"}


def abort(store: Store, call: Call) -> dict[str, Any]:
    """The upload and its parts are no more."""
    found = bucket(call.params["Bucket"])
    with store.lock:
        upload = store.upload(found, call.params["Key"], call.params["UploadId"])
        del store.contents(found).uploads[upload.id]
    discard(upload.parts.values())
    return {}


def _checksum_type(algorithm: str | None, wanted: str | None) -> str:
    """Full-object for CRC64NVME, composite for the others unless a full CRC is asked for."""
    if algorithm in (None, "CRC64NVME"):
        if wanted == COMPOSITE:
            raise AwsError("InvalidRequest", "The COMPOSITE checksum type cannot be used with the crc64nvme algorithm.")
        return FULL
    checksums.start(str(algorithm))
    if wanted == FULL and not str(algorithm).startswith("CRC"):
        raise AwsError("InvalidRequest", f"The FULL_OBJECT checksum type cannot be used with {algorithm}.")
    return wanted or COMPOSITE


def _chosen(upload: Upload, listed: list[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The parts named, in order, each as it was uploaded."""
    if not listed:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate")
    numbers = [int(one["PartNumber"]) for one in listed]
    if numbers != sorted(set(numbers)):
        raise AwsError("InvalidPartOrder", "The list of parts was not in ascending order.")
    chosen = []
    for one in listed:
        part = upload.parts.get(int(one["PartNumber"]))
        claims = checksums.named(one)
        if upload.algorithm and upload.checksum_type == COMPOSITE and upload.algorithm not in claims:
            raise AwsError(
                "InvalidRequest", f"The upload was created using a {upload.algorithm.lower()} checksum. The complete "
                f"request must include the checksum for each part. It was missing for part {one['PartNumber']}",
            )  # fmt: skip
        wrong = part is None or str(one.get("ETag", "")).strip('"') != part.md5
        if wrong or part is None or any(part.checksums.get(name) != value for name, value in claims.items()):
            raise AwsError(
                "InvalidPart", "One or more of the specified parts could not be found. The part may not have been "
                "uploaded, or the specified entity tag may not match the part's entity tag.",
            )  # fmt: skip
        chosen.append(part)
    if any(part.size < SMALLEST_PART for part in chosen[:-1]):
        raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return tuple(chosen)


def _of_all(algorithm: str, parts: tuple[Part, ...], size: int) -> str:
    digest = checksums.start(algorithm)
    for block in read(parts, 0, size, BLOCK):
        digest.update(block)
    return checksums.text(digest.digest())


def _check_claims(params: Mapping[str, Any], algorithm: str, value: str) -> None:
    for name, claimed in checksums.named(params).items():
        if name != algorithm:
            raise AwsError("InvalidRequest", f"The upload was created using {algorithm}, not {name}.")
        if claimed not in (value, value.partition("-")[0]):
            raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")


OPERATIONS = {
    "CreateMultipartUpload": create,
    "UploadPart": upload_part,
    "CompleteMultipartUpload": complete,
    "AbortMultipartUpload": abort,
}
