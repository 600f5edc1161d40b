"""The sandbox's S3: it believes no checksum but its own, keeps what is locked, and stores bytes as they came."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import http.client
import io
import json
import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import anycrc
import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

Cloud = Mapping[str, Any]
MIB = 1 << 20
THAI = "เอกสาร/ทะเบียน ราษฎร์ + 100% ก๊/น้ำ~.csv"


def crc(model: str, width: int, data: bytes) -> bytes:
    return int(anycrc.Model(model).calc(data)).to_bytes(width, "big")


def md5(data: bytes) -> Any:
    return hashlib.md5(data, usedforsecurity=False)


SUMS = {
    "CRC32": lambda data: binascii.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crc("CRC32-ISCSI", 4, data),
    "CRC64NVME": lambda data: crc("CRC64-NVME", 8, data),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def client(cloud: Cloud, **options: Any) -> Any:
    return boto3.client(
        "s3",
        region_name=cloud["region"],
        endpoint_url=cloud["aws_endpoint_url"],
        aws_access_key_id=cloud["access_key"],
        aws_secret_access_key=cloud["secret_key"],
        config=Config(retries={"total_max_attempts": 1}, **options),
    )


@pytest.fixture(scope="module")
def s3(sandbox_cloud: Cloud) -> Any:
    return client(sandbox_cloud, request_checksum_calculation="when_required")


@pytest.fixture
def bucket(s3: Any, sandbox_cloud: Cloud, request: pytest.FixtureRequest) -> str:
    return make_bucket(s3, sandbox_cloud)


def make_bucket(s3: Any, cloud: Cloud, **more: Any) -> str:
    name = f"b-{random.randrange(10**12)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud["region"]}, **more)
    return name


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return str(refused.value.response["Error"]["Code"])


def keys(s3: Any, bucket: str, **more: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **more)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


@pytest.mark.parametrize("algorithm", [*SUMS, "MD5"])
def test_a_wrong_checksum_is_refused_and_leaves_nothing(s3: Any, bucket: str, algorithm: str) -> None:
    body = "เนื้อหา".encode() * 1000
    right = md5(body).digest() if algorithm == "MD5" else SUMS[algorithm](body)
    wrong = bytes([right[0] ^ 1]) + right[1:]
    name = "ContentMD5" if algorithm == "MD5" else f"Checksum{algorithm}"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    part = {"Bucket": bucket, "Key": "m", "UploadId": upload, "PartNumber": 1, "Body": body}
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=body, **{name: b64(wrong)}) == "BadDigest"
    assert code_of(s3.upload_part, **part, **{name: b64(wrong)}) == "BadDigest"
    assert keys(s3, bucket) == []
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)
    s3.put_object(Bucket=bucket, Key="k", Body=body, **{name: b64(right)})
    told = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert told["ETag"] == f'"{md5(body).hexdigest()}"'
    assert told[name if algorithm != "MD5" else "ChecksumCRC64NVME"] == b64(
        right if algorithm != "MD5" else SUMS["CRC64NVME"](body)
    )


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])  # boto3 asks for the others only with awscrt
def test_the_server_computes_what_it_is_asked_to(s3: Any, bucket: str, algorithm: str) -> None:
    answer = s3.put_object(Bucket=bucket, Key="k", Body=b"abc", ChecksumAlgorithm=algorithm)
    assert answer[f"Checksum{algorithm}"] == b64(SUMS[algorithm](b"abc"))
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ETag", "ObjectSize"])
    assert told["Checksum"][f"Checksum{algorithm}"] == b64(SUMS[algorithm](b"abc"))
    assert told["ObjectSize"] == 3


def chunked(
    cloud: Cloud, bucket: str, key: str, body: bytes, trailer: str, declared: int | None = None
) -> tuple[int, bytes]:
    """PUT as SDKs do over streams: aws-chunked, with the checksum after the body."""
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:7], body[7:]) if piece)
    framed += b"0\r\n" + trailer.encode() + b"\r\n\r\n"
    request = AWSRequest("PUT", f"{cloud['endpoint']}/{bucket}/{quote(key)}")
    request.headers["Content-Encoding"] = "aws-chunked"
    request.headers["X-Amz-Trailer"] = trailer.partition(":")[0]
    request.headers["X-Amz-Decoded-Content-Length"] = str(len(body) if declared is None else declared)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(cloud["access_key"], cloud["secret_key"]), "s3", cloud["region"]).add_auth(request)
    connection = http.client.HTTPConnection(cloud["endpoint"].removeprefix("http://"))
    connection.request("PUT", request.url.removeprefix(cloud["endpoint"]), framed, dict(request.headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_checksum_that_comes_after_the_body_counts_too(s3: Any, sandbox_cloud: Cloud, bucket: str) -> None:
    body = b"a body in two pieces"
    right, wrong = b64(SUMS["CRC32C"](body)), b64(SUMS["CRC32C"](b"other"))
    assert chunked(sandbox_cloud, bucket, "good", body, f"x-amz-checksum-crc32c:{right}")[0] == 200
    status, said = chunked(sandbox_cloud, bucket, "bad", body, f"x-amz-checksum-crc32c:{wrong}")
    assert status == 400 and b"<Code>BadDigest</Code>" in said
    status, said = chunked(sandbox_cloud, bucket, "short", body, f"x-amz-checksum-crc32c:{right}", declared=99)
    assert status == 400 and b"<Code>IncompleteBody</Code>" in said
    assert keys(s3, bucket) == ["good"]
    got = s3.get_object(Bucket=bucket, Key="good")
    assert (got["Body"].read(), got.get("ContentEncoding")) == (body, None)


def test_any_key_comes_back_as_it_was_written(s3: Any, bucket: str) -> None:
    names = [
        THAI,
        "a//b",
        "/leading",
        "trailing/",
        "..",
        "a/../b",
        "x y",
        "a+b",
        "%41",
        "é",
        "e\u0301",
        "A",
        "a",
        "?q=1&r#f",
    ]
    for number, name in enumerate(names):
        s3.put_object(Bucket=bucket, Key=name, Body=str(number).encode(), Metadata={"n": str(number)})
    assert keys(s3, bucket) == sorted(names, key=str.encode)
    for number, name in enumerate(names):
        got = s3.get_object(Bucket=bucket, Key=name)
        assert (got["Body"].read(), got["Metadata"]) == (str(number).encode(), {"n": str(number)}), name
    assert code_of(s3.get_object, Bucket=bucket, Key="b") == "NoSuchKey"
    assert code_of(s3.head_object, Bucket=bucket, Key="b") == "404"


def test_bytes_ranges_and_conditions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"", ContentType="text/csv; charset=TIS-620")
    told = s3.head_object(Bucket=bucket, Key="empty")
    assert (told["ContentLength"], told["ContentType"]) == (0, "text/csv; charset=TIS-620")
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 10
    for asked, answer in (("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")):
        assert s3.get_object(Bucket=bucket, Key="k", Range=asked)["Body"].read() == answer
    assert code_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == "InvalidRange"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == "304"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"0"') == "PreconditionFailed"


def test_only_one_of_many_creates_the_object(s3: Any, sandbox_cloud: Cloud, bucket: str) -> None:
    outcomes: list[str] = []

    def put(number: int) -> None:
        try:
            client(sandbox_cloud).put_object(Bucket=bucket, Key="once", Body=b"%d" % number * 100_000, IfNoneMatch="*")
            outcomes.append("written")
        except ClientError as refused:
            outcomes.append(refused.response["Error"]["Code"])

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 5 + ["written"]
    s3.delete_object(Bucket=bucket, Key="once")
    s3.put_object(Bucket=bucket, Key="once", Body=b"", IfNoneMatch="*")


def test_a_multipart_upload_with_its_checksums(s3: Any, bucket: str) -> None:
    pieces = [random.Random(7).randbytes(5 * MIB), b"the end"]
    made = s3.create_multipart_upload(Bucket=bucket, Key=THAI, ChecksumAlgorithm="SHA256")
    named = {"Bucket": bucket, "Key": THAI, "UploadId": made["UploadId"]}
    parts = []
    for number, piece in enumerate(pieces, 1):
        told = s3.upload_part(**named, PartNumber=number, Body=piece, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": told["ETag"], "ChecksumSHA256": told["ChecksumSHA256"]})

    def complete(listed: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return dict(s3.complete_multipart_upload(**named, MultipartUpload={"Parts": listed}, **more))

    assert code_of(complete, listed=parts[::-1]) == "InvalidPartOrder"
    assert code_of(complete, listed=[parts[0], {**parts[1], "ETag": parts[0]["ETag"]}]) == "InvalidPart"
    assert (
        code_of(complete, listed=[parts[0], {**parts[1], "ChecksumSHA256": parts[0]["ChecksumSHA256"]}])
        == "InvalidPart"
    )
    assert code_of(complete, listed=[{k: v for k, v in part.items() if k != "ChecksumSHA256"} for part in parts]) == (
        "InvalidRequest"
    )
    assert code_of(complete, listed=parts, ChecksumSHA256=b64(bytes(32)) + "-2") == "BadDigest"
    assert code_of(complete, listed=parts, MpuObjectSize=1) == "InvalidRequest"
    assert keys(s3, bucket) == []
    done = complete(parts)
    digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    assert done["ChecksumSHA256"] == b64(hashlib.sha256(digests).digest()) + "-2"
    md5s = b"".join(md5(piece).digest() for piece in pieces)
    assert done["ETag"] == f'"{md5(md5s).hexdigest()}-2"'
    assert s3.get_object(Bucket=bucket, Key=THAI)["Body"].read() == b"".join(pieces)
    across = s3.get_object(Bucket=bucket, Key=THAI, Range=f"bytes={5 * MIB - 2}-{5 * MIB + 2}")["Body"].read()
    assert across == (pieces[0] + pieces[1])[5 * MIB - 2 : 5 * MIB + 3]
    assert code_of(complete, listed=parts) == "NoSuchUpload"


def test_a_full_object_checksum_is_compared_at_completion(s3: Any, bucket: str) -> None:
    pieces = [bytes(5 * MIB), b"x"]
    made = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC64NVME")
    named = {"Bucket": bucket, "Key": "k", "UploadId": made["UploadId"]}
    told = [
        s3.upload_part(**named, PartNumber=number, Body=piece, ChecksumCRC64NVME=b64(SUMS["CRC64NVME"](piece)))
        for number, piece in enumerate(pieces, 1)
    ]
    listed = {"Parts": [{"PartNumber": n, "ETag": one["ETag"]} for n, one in enumerate(told, 1)]}
    bad = {"ChecksumCRC64NVME": b64(bytes(8)), "ChecksumType": "FULL_OBJECT"}
    assert code_of(s3.complete_multipart_upload, **named, MultipartUpload=listed, **bad) == "BadDigest"
    done = s3.complete_multipart_upload(**named, MultipartUpload=listed)
    assert done["ChecksumCRC64NVME"] == b64(SUMS["CRC64NVME"](b"".join(pieces)))


def test_small_parts_and_aborted_uploads(s3: Any, bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    told = [s3.upload_part(**named, PartNumber=n, Body=b"small") for n in (1, 2)]
    listed = {"Parts": [{"PartNumber": n, "ETag": one["ETag"]} for n, one in enumerate(told, 1)]}
    assert code_of(s3.complete_multipart_upload, **named, MultipartUpload=listed) == "EntityTooSmall"
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [named["UploadId"]]
    s3.abort_multipart_upload(**named)
    assert code_of(s3.upload_part, **named, PartNumber=3, Body=b"late") == "NoSuchUpload"


def test_boto3_moves_a_large_file_there_and_back(sandbox_cloud: Cloud, bucket: str) -> None:
    body = random.Random(1).randbytes(24 * MIB + 13)
    ordinary = client(sandbox_cloud)
    ordinary.upload_fileobj(io.BytesIO(body), bucket, "big", Config=TransferConfig(multipart_chunksize=8 * MIB))
    back = io.BytesIO()
    ordinary.download_fileobj(bucket, "big", back)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(body).digest()
    assert ordinary.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-4"')


def test_versions_and_delete_markers(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert (keys(s3, bucket), code_of(s3.get_object, Bucket=bucket, Key="k")) == ([], "NoSuchKey")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"before"
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1}))
    assert [len(page.get("Versions", []) + page.get("DeleteMarkers", [])) for page in pages] == [1, 1, 1, 1]
    assert pages[0]["DeleteMarkers"][0]["IsLatest"] is True
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    everything = [
        v for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket) for v in page["Versions"]
    ]
    chosen = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in everything]
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": chosen})["Deleted"]) == 3
    s3.delete_bucket(Bucket=bucket)
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"") == "NoSuchBucket"


def soon(seconds: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def test_compliance_holds_against_everybody_until_its_day(s3: Any, sandbox_cloud: Cloud) -> None:
    bucket = make_bucket(s3, sandbox_cloud, ObjectLockEnabledForBucket=True)
    until = soon(4)
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"1", **lock) == "InvalidRequest", "no checksum"
    locked = s3.put_object(Bucket=bucket, Key="k", Body=b"1", ChecksumAlgorithm="SHA256", **lock)["VersionId"]
    named = {"Bucket": bucket, "Key": "k", "VersionId": locked}
    told = s3.get_object_retention(**named)["Retention"]
    assert (told["Mode"], told["RetainUntilDate"]) == ("COMPLIANCE", until)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", until)
    assert code_of(s3.delete_object, **named, BypassGovernanceRetention=True) == "AccessDenied"
    many = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": locked}]})
    assert [one["Code"] for one in many["Errors"]] == ["AccessDenied"] and "Deleted" not in many
    for weaker in (
        {"Mode": "COMPLIANCE", "RetainUntilDate": soon(2)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": soon(60)},
    ):
        assert code_of(s3.put_object_retention, **named, Retention=weaker) == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")  # a new version beside it, not over it
    s3.delete_object(Bucket=bucket, Key="k")
    assert s3.get_object(**named)["Body"].read() == b"1"
    suspend = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}}
    assert code_of(s3.put_bucket_versioning, **suspend) == "InvalidBucketState"
    s3.put_object_retention(**named, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until + timedelta(seconds=1)})
    while datetime.now(UTC) <= until + timedelta(seconds=1.5):
        time.sleep(0.1)
    s3.delete_object(**named)
    assert code_of(s3.get_object, **named) == "NoSuchVersion"


def test_default_retention_governance_and_legal_hold(s3: Any, sandbox_cloud: Cloud, bucket: str) -> None:
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": soon(60), "ChecksumAlgorithm": "SHA256"}
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", **lock) == "InvalidRequest"
    assert code_of(s3.get_object_retention, Bucket=bucket, Key="k") == "InvalidRequest"
    locking = make_bucket(s3, sandbox_cloud, ObjectLockEnabledForBucket=True)
    free = s3.put_object(Bucket=locking, Key="free", Body=b"")["VersionId"]
    assert code_of(s3.get_object_retention, Bucket=locking, Key="free") == "NoSuchObjectLockConfiguration"
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
    s3.put_object_lock_configuration(
        Bucket=locking, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    kept = s3.put_object(Bucket=locking, Key="k", Body=b"", ChecksumAlgorithm="SHA256")["VersionId"]
    told = s3.get_object_retention(Bucket=locking, Key="k")["Retention"]
    assert told["Mode"] == "GOVERNANCE" and timedelta(days=29) < told["RetainUntilDate"] - soon(0) <= timedelta(days=30)
    named = {"Bucket": locking, "Key": "k", "VersionId": kept}
    assert code_of(s3.delete_object, **named) == "AccessDenied"
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    assert code_of(s3.delete_object, **named, BypassGovernanceRetention=True) == "AccessDenied"
    s3.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    s3.delete_object(**named, BypassGovernanceRetention=True)
    s3.delete_object(Bucket=locking, Key="free", VersionId=free)
    past = {"Mode": "COMPLIANCE", "RetainUntilDate": soon(-60)}
    s3.put_object(Bucket=locking, Key="p", Body=b"", ChecksumAlgorithm="SHA256")
    assert code_of(s3.put_object_retention, Bucket=locking, Key="p", Retention=past) == "InvalidArgument"


def test_listings_by_prefix_delimiter_and_page(s3: Any, bucket: str) -> None:
    names = [f"{folder}/{n:02d}" for folder in ("a", "b", "ก") for n in range(5)] + ["top"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    assert keys(s3, bucket, PaginationConfig={"PageSize": 4}) == sorted(names)
    assert keys(s3, bucket, Prefix="ก/") == [f"ก/{n:02d}" for n in range(5)]
    assert keys(s3, bucket, StartAfter="b/03") == ["b/04", "top", *(f"ก/{n:02d}" for n in range(5))]
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
    )
    told = [
        one.get("Prefix") or one.get("Key")
        for page in pages
        for one in page.get("CommonPrefixes", []) + page.get("Contents", [])
    ]
    assert told == ["a/", "b/", "top", "ก/"]


def test_copies_tags_and_attributes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"copied", Metadata={"m": "1"}, Tagging="t=%E0%B8%81")
    source = {"Bucket": bucket, "Key": "a"}
    copied = s3.copy_object(Bucket=bucket, Key=THAI, CopySource=source, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert copied["ChecksumSHA256"] == b64(hashlib.sha256(b"copied").digest())
    s3.delete_object(Bucket=bucket, Key="a")
    got = s3.get_object(Bucket=bucket, Key=THAI)
    assert (got["Body"].read(), got["Metadata"]) == (b"copied", {"m": "1"})
    assert s3.get_object_tagging(Bucket=bucket, Key=THAI)["TagSet"] == [{"Key": "t", "Value": "ก"}]
    s3.put_object_tagging(Bucket=bucket, Key=THAI, Tagging={"TagSet": [{"Key": "u", "Value": "2"}]})
    assert s3.head_object(Bucket=bucket, Key=THAI)["ServerSideEncryption"] == "AES256"


@pytest.fixture(scope="module")
def stranger(sandbox_cloud: Cloud) -> Any:
    """S3 as another account of the organization sees it."""

    def service(name: str, key: str, secret: str, token: str | None = None) -> Any:
        return boto3.client(
            name,  # type: ignore[call-overload]  # any service by its name
            region_name="us-east-1",  # a new account has not opted into the sandbox's own region
            endpoint_url=sandbox_cloud["aws_endpoint_url"],
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    own = sandbox_cloud["access_key"], sandbox_cloud["secret_key"]
    organizations = service("organizations", *own)
    with contextlib.suppress(organizations.exceptions.AlreadyInOrganizationException):
        organizations.create_organization(FeatureSet="ALL")
    asked = organizations.create_account(Email=f"s{random.randrange(10**9)}@example.org", AccountName="stranger")
    status = asked["CreateAccountStatus"]
    while status["State"] == "IN_PROGRESS":
        time.sleep(0.1)
        status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])[
            "CreateAccountStatus"
        ]
    role = f"arn:aws:iam::{status['AccountId']}:role/OrganizationAccountAccessRole"
    session = service("sts", *own).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return service("s3", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def test_another_account_gets_in_by_policy_only(s3: Any, stranger: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(stranger.get_object, Bucket=bucket, Key="k") == "AccessDenied"
    assert code_of(stranger.list_objects_v2, Bucket=bucket) == "AccessDenied"
    anywhere = f"arn:aws:s3:::{bucket}/*"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": anywhere}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": anywhere}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]}))
    assert stranger.get_object(Bucket=bucket, Key="k")["Body"].read() == b""
    assert code_of(stranger.put_object, Bucket=bucket, Key="k", Body=b"") == "AccessDenied"
    assert code_of(s3.delete_object, Bucket=bucket, Key="k") == "AccessDenied", "a denial holds for the owner too"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner="000000000000") == "AccessDenied"


def test_what_is_not_done_says_so(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(s3.get_object_acl, Bucket=bucket, Key="k") == "NotImplemented"
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ACL="public-read") == "NotImplemented"
    missing = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "00000000-0000-0000-0000-000000000000"}
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", **missing) == "KMS.NotFoundException"
