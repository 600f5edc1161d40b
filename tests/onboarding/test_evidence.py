"""Five ways to falsify the ledger, each done with the triggers off, each found; the last two only by anchors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
import pytest
from moto.server import ThreadedMotoServer

from onboarding.errors import Stop
from onboarding.evidence import Anchor, anchor, ensure_anchor_bucket, read_anchors, verify
from onboarding.messages import text

BUCKET = "namrong-anchors"


@pytest.fixture
def filled(ledger):
    """Ten records, anchored at the fifth and the tenth."""
    anchors = []
    for number in range(1, 11):
        ledger.record("p02", "moved_rows", f"table{number}", {"rows": number, "ก": "ข"})
        if number in (5, 10):
            anchors.append(Anchor(number, ledger.head().hash, ledger.now()))
    return ledger, anchors


def tamper(house, *statements: str) -> None:
    with house.owner.connect() as owner:
        owner.execute("ALTER TABLE ledger.records DISABLE TRIGGER ALL")
        for statement in statements:
            assert owner.execute(statement).rowcount > 0
        for trigger in ("chain", "append_only", "never_empty"):
            owner.execute(f"ALTER TABLE ledger.records ENABLE ALWAYS TRIGGER {trigger}")


def found(ledger, anchors) -> list[tuple[str, int]]:
    verification = verify(ledger, anchors)
    assert verification.ok == (not verification.problems)
    for problem in verification.problems:
        assert problem.render("th") != problem.render("en") != ""
    return [(problem.what, problem.seq) for problem in verification.problems]


def test_an_honest_ledger_is_verified(filled):
    ledger, anchors = filled
    verification = verify(ledger, anchors)
    assert (verification.ok, verification.records, verification.head, verification.anchored) == (
        True, 10, ledger.head(), 10,
    )  # fmt: skip
    assert verify(ledger, []).anchored == 0


@pytest.mark.parametrize(
    "change",
    [
        """body = replace(body, '"rows":4', '"rows":5')""",
        "body = body || ' '",
        "subject = 'table5'",
        "at = at + interval '1 microsecond'",
        "pilot = 'p05'",
        "kind = 'moved_file'",
        "run = 'r'",
        "hash = repeat('0', 64)",
    ],
)
@pytest.mark.parametrize("anchored", [False, True])
def test_a_flipped_byte_is_found(house, filled, change, anchored):
    ledger, anchors = filled
    tamper(house, f"UPDATE ledger.records SET {change} WHERE seq = 4")
    assert ("altered", 4) in found(ledger, anchors if anchored else [])


@pytest.mark.parametrize("anchored", [False, True])
def test_a_deletion_is_found(house, filled, anchored):
    ledger, anchors = filled
    tamper(house, "DELETE FROM ledger.records WHERE seq IN (3, 4)")
    (missing,) = verify(ledger, anchors if anchored else []).problems
    assert (missing.what, missing.values) == ("missing", {"first": 3, "last": 4})


def test_a_deletion_that_closes_the_gap_is_found(house, filled):
    ledger, _ = filled
    tamper(
        house,
        "DELETE FROM ledger.records WHERE seq = 3",
        *(f"UPDATE ledger.records SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(4, 11)),
    )
    problems = found(ledger, [])
    assert ("broken_link", 3) in problems
    assert ("altered", 3) in problems or ("reordered", 3) in problems


@pytest.mark.parametrize("anchored", [False, True])
def test_a_reordering_is_found(house, filled, anchored):
    ledger, anchors = filled
    tamper(
        house,
        "UPDATE ledger.records SET seq = 99 WHERE seq = 3",
        "UPDATE ledger.records SET seq = 3 WHERE seq = 4",
        "UPDATE ledger.records SET seq = 4 WHERE seq = 99",
    )
    problems = found(ledger, anchors if anchored else [])
    assert {("reordered", 3), ("reordered", 4), ("broken_link", 3)} <= set(problems)


def test_a_truncated_tail_is_found_by_the_anchor_only(house, filled):
    ledger, anchors = filled
    tamper(house, "DELETE FROM ledger.records WHERE seq > 7")
    assert found(ledger, []) == []
    assert found(ledger, anchors) == [("truncated", 10)]


def test_an_emptied_ledger_is_found_by_the_anchor_only(house, filled):
    ledger, anchors = filled
    tamper(house, "DELETE FROM ledger.records")
    assert found(ledger, []) == []
    assert found(ledger, anchors) == [("truncated", 5), ("truncated", 10)]


def rewrite(house) -> None:
    """What an owner can do who knows the code: another content from record 6 on, every hash made right."""
    with house.owner.connect() as owner:
        kept = owner.execute(
            "SELECT at, pilot, kind, subject, run, replace(body, '\"rows\":6', '\"rows\":66') "
            "FROM ledger.records WHERE seq >= 6 ORDER BY seq"
        ).fetchall()
    tamper(house, "DELETE FROM ledger.records WHERE seq >= 6")
    with house.owner.connect() as owner:
        for row in kept:
            owner.execute(
                "INSERT INTO ledger.records (at, pilot, kind, subject, run, body) VALUES (%s,%s,%s,%s,%s,%s)", row
            )


def test_a_full_rewrite_is_found_by_the_anchor_only(house, filled):
    ledger, anchors = filled
    rewrite(house)
    assert ledger.records()[5].body["rows"] == 66
    assert found(ledger, []) == []
    assert found(ledger, anchors) == [("rewritten", 10)]


def test_a_date_that_is_none_is_found(house, filled):
    ledger, _ = filled
    with house.owner.connect() as owner:
        owner.execute("ALTER TABLE ledger.records DROP CONSTRAINT records_at_check")
    tamper(house, "UPDATE ledger.records SET at = 'infinity' WHERE seq = 4")
    assert [what for what, _ in found(ledger, [])] == ["unreadable"]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server):
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    return boto3.client("s3", endpoint_url=s3_server, region_name="ap-southeast-7", **keys)


@pytest.fixture
def bucket(s3, ledger, request):
    name = f"{BUCKET}-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    for _ in range(2):
        ensure_anchor_bucket(s3, name, "ap-southeast-7", once=partial(ledger.once, "programme"), retain_days=2)
    return name


@pytest.fixture
def real_time(house):
    house.clock.now = datetime.now(UTC)


def test_the_anchor_bucket_is_made_once_and_locks(s3, ledger, bucket):
    assert [r.subject for r in ledger.records(kind="intent")] == [f"s3:CreateBucket:-:{bucket}"]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"].items() >= {"Mode": "COMPLIANCE", "Days": 2}.items()
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


@pytest.mark.usefixtures("real_time")
def test_anchors_are_written_read_and_locked(s3, ledger, bucket):
    ledger.record("p02", "k", "1", {})
    first = anchor(ledger, s3, bucket, 2)
    assert anchor(ledger, s3, bucket, 2) == first
    ledger.record("p02", "k", "2", {})
    second = anchor(ledger, s3, bucket, 2)

    assert read_anchors(s3, bucket) == [first, second]
    assert second == Anchor(ledger.head().seq, ledger.head().hash, second.at)
    (version, _) = s3.list_object_versions(Bucket=bucket)["Versions"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert verify(ledger, read_anchors(s3, bucket)).anchored == second.seq


@pytest.mark.usefixtures("real_time")
def test_a_rewritten_ledger_can_neither_be_anchored_nor_hide_behind_a_new_version(s3, house, filled, bucket):
    ledger, _ = filled
    honest = anchor(ledger, s3, bucket, 2)
    rewrite(house)
    with pytest.raises(Stop) as refused:
        anchor(ledger, s3, bucket, 2)
    assert refused.value.key == "ledger.anchor_contradicts"
    assert text("ledger.anchor_contradicts.remedy", "th") in refused.value.render("th")

    name = s3.list_object_versions(Bucket=bucket)["Versions"][0]["Key"]
    forged = s3.get_object(Bucket=bucket, Key=name)["Body"].read().replace(honest.hash.encode(), b"0" * 64)
    s3.put_object(Bucket=bucket, Key=name, Body=forged)
    s3.delete_object(Bucket=bucket, Key=name)
    assert honest in read_anchors(s3, bucket)
    assert ("rewritten", honest.seq) in found(ledger, read_anchors(s3, bucket))


@pytest.mark.usefixtures("real_time")
def test_an_anchor_that_nothing_locks_is_refused(s3, ledger):
    s3.create_bucket(Bucket="open", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-7"})
    ledger.record("p02", "k", "1", {})
    with pytest.raises((Stop, s3.exceptions.ClientError)):
        anchor(ledger, s3, "open", 2)


def test_an_empty_ledger_has_nothing_to_anchor(s3, ledger):
    with pytest.raises(Stop) as refused:
        anchor(ledger, s3, "any", 2)
    assert refused.value.key == "ledger.nothing_to_anchor"


def test_retention_outlives_the_clock(s3, ledger, bucket, real_time):
    ledger.record("p02", "k", "1", {})
    anchor(ledger, s3, bucket, 2)
    (version,) = s3.list_object_versions(Bucket=bucket)["Versions"]
    kept = s3.head_object(Bucket=bucket, Key=version["Key"])
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] - ledger.now() > timedelta(days=1, hours=23)
