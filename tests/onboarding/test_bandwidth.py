"""How much of an agency's line its files take, by its office's hours and Thailand's holidays."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as hour
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from file_servers import PASSWORD, sftp_server

from launcher.by_hand_places import line
from onboarding.aws import Cloud
from onboarding.bandwidth import Meter, Take, bytes_per_second, unlimited
from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.files.folder import move_folder
from onboarding.files.plan import plan
from onboarding.files.upload import move_unit
from onboarding.manifest_files import Bandwidth, FilesWorkload
from onboarding.manifests import BadManifest, parse
from onboarding.places import Place, SftpFolder
from onboarding.reconcile.files import compare_files
from onboarding.stages import proving_files, uploading
from onboarding.stages.pilot import Pilot
from onboarding.thai_calendar import BANGKOK

LIMITS = Bandwidth(office=8, night=80)
MIB = 1024 * 1024
REGION = "ap-southeast-7"


@pytest.mark.parametrize(
    ("at", "megabytes"),
    [
        ("2026-11-23T08:29:59", 10), ("2026-11-23T08:30:00", 1), ("2026-11-23T16:29:59", 1),  # a Monday
        ("2026-11-23T16:30:00", 10), ("2026-11-21T10:00:00", 10), ("2026-11-22T10:00:00", 10),
        ("2026-12-10T10:00:00", 10), ("2026-12-07T10:00:00", 10),  # Constitution Day; the one for the 5th, a Saturday
        ("2026-12-09T10:00:00", 1), ("2026-04-14T10:00:00", 10),  # Songkran
    ],
)  # fmt: skip
def test_office_hours_are_bangkoks_and_holidays_are_night(at: str, megabytes: int) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=BANGKOK)
    for now in (local, local.astimezone(UTC)):
        assert bytes_per_second(LIMITS, now) == megabytes * 1_000_000


def test_what_is_not_limited_is_free() -> None:
    monday = datetime(2026, 11, 23, 10, tzinfo=BANGKOK)
    assert bytes_per_second(Bandwidth(night=80), monday) is None
    assert bytes_per_second(Bandwidth(office=8, opens=hour(10, 30)), monday) is None


class Afternoon:
    """A Monday at 16:29:50 whose time passes when somebody rests."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(datetime(2026, 11, 23, 16, 29, 50, tzinfo=BANGKOK).timestamp() + self.passed, UTC)

    def meter(self, limits: Bandwidth = LIMITS, shares: int = 1) -> Meter:
        return Meter(limits, self.now, shares=shares, ticks=lambda: self.passed, rest=self.rest)

    def rest(self, seconds: float) -> None:
        self.passed += seconds


def test_bytes_pass_at_the_rate_of_the_hour_and_faster_when_the_office_closes() -> None:
    day = Afternoon()
    meter = day.meter()
    for _ in range(81):
        meter.take(100_000)
    assert day.passed == pytest.approx(8.0, abs=0.1)  # at a megabyte a second
    for _ in range(120):
        meter.take(100_000)  # two megabytes more until half past four, then ten in a second
    assert day.passed == pytest.approx(11.0, abs=0.1)


def test_what_waits_for_a_large_piece_goes_on_when_the_office_closes() -> None:
    day = Afternoon()
    meter = day.meter()
    meter.take(50_000_000)  # 50 s by day
    meter.take(1)
    assert day.passed == pytest.approx(10 + 4, abs=1.1)


def test_a_share_is_its_part_and_nothing_is_saved_up() -> None:
    day = Afternoon()
    meter = day.meter(Bandwidth(office=8, night=8), shares=4)
    day.rest(3600)
    began = day.passed
    for _ in range(11):
        meter.take(250_000)
    assert day.passed - began == pytest.approx(10, abs=0.1)


def test_many_threads_share_one_line() -> None:
    meter = Meter(Bandwidth(office=400, night=400), lambda: datetime.now(UTC))
    began = time.monotonic()
    hands = [threading.Thread(target=lambda: [meter.take(MIB) for _ in range(3)]) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert time.monotonic() - began >= 23 * MIB / 50_000_000 - 0.1


@pytest.mark.parametrize(
    ("said", "office", "night"),
    [("8", 8, 8), ("office=8,night=80", 8, 80), ("night=80,opens=09:00,closes=12:00", None, 80)],
)
def test_by_hand_it_is_said_in_one_word(said: str, office: int | None, night: int | None) -> None:
    take = line(said)
    assert isinstance(meter := getattr(take, "__self__", None), Meter)
    assert (meter.limits.office, meter.limits.night) == (office, night)
    assert line(None) is unlimited


@pytest.mark.parametrize("said", ["", "fast", "office=0", "office=1.5", "office=8,nights=9", "opens=08:00", "8,9"])
def test_what_is_no_bandwidth_is_refused(said: str) -> None:
    with pytest.raises(Stop) as refusal:
        line(said)
    assert refusal.value.key == "alone.bad_bandwidth"


@pytest.mark.parametrize(
    ("said", "field"),
    [("{}", ""), ("{office: 0}", ".office"), ("{office: 8, opens: '17:00'}", ""), ("{night: 8, noon: 9}", ".noon")],
)
def test_a_manifests_limits_are_read_with_care(said: str, field: str) -> None:
    written = (Path(__file__).parents[2] / "include" / "pilots" / "p05.yaml").read_text(encoding="utf-8")
    with pytest.raises(BadManifest) as refused:
        parse(written.replace("    batches: 4\n", f"    batches: 4\n    bandwidth: {said}\n"), "p05.yaml")
    assert refused.value.problems[0].field == f"files.0.bandwidth{field}"


class Counted:
    """A line on which nobody waits: how much was asked for."""

    def __init__(self) -> None:
        self.bytes, self.largest = 0, 0
        self._asking = threading.Lock()

    def take(self, count: int) -> None:
        with self._asking:
            self.bytes, self.largest = self.bytes + count, max(self.largest, count)


@pytest.fixture(scope="module")
def cloud(sandbox_cloud: dict[str, Any]) -> Cloud:
    session = boto3.Session(sandbox_cloud["access_key"], sandbox_cloud["secret_key"], region_name=REGION)
    return Cloud(session, REGION, sandbox_cloud["aws_endpoint_url"])


@pytest.mark.parametrize("behind_a_line", [False, True])
def test_every_byte_that_passes_the_line_counts_once(tmp_path: Path, cloud: Cloud, behind_a_line: bool) -> None:
    """Small files, one that goes in one request and one that goes in parts: sent, known again, sent anew, compared."""
    sizes = {"small": 20_000, "request": 3 * MIB, "parts": (6 if behind_a_line else 65) * MIB, "empty": 0}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(os.urandom(size))
    s3, bucket = cloud.client("s3"), f"bandwidth-{os.urandom(6).hex()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def asked(work: Callable[[Take], object]) -> int:
        counted = Counted()
        work(counted.take)
        assert counted.largest <= MIB
        return counted.bytes

    def all_of_it(place: Place) -> None:
        total = sum(sizes.values())
        assert asked(lambda take: move_folder(place, s3, bucket, prefix="p/", take=take)) == total
        assert asked(lambda take: move_folder(place, s3, bucket, prefix="p/", take=take)) == 0
        assert asked(lambda take: compare_files(place, s3, bucket, "p/", take=take)) == total
        (batch,) = plan(place, 1)
        assert asked(lambda take: move_unit(place, batch, s3, bucket, prefix="q/", take=take)) == total

    if not behind_a_line:
        all_of_it(tmp_path)
        return
    with sftp_server(tmp_path) as server:
        all_of_it(SftpFolder("127.0.0.1", "/", "agency", server.port, PASSWORD, host_key=server.host_key))


class Moving:
    """As much of a pilot as moving its files needs; its clock remembers how often it was looked at."""

    def __init__(self, folder: Path, cloud: Cloud, limits: str) -> None:
        written = (Path(__file__).parents[2] / "include" / "pilots" / "p05.yaml").read_text(encoding="utf-8")
        self.manifest = parse(written.replace("    batches: 4\n", f"    batches: 4\n{limits}"), "p05.yaml")
        self.cloud, self.folders = cloud, {"open_data": folder}
        self.id, self.ledger = "p05", self
        self.account_id, self.looks = f"{int.from_bytes(os.urandom(4)):012d}", 0
        name = uploading.bucket(self.as_pilot(), "open_data")
        cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def as_pilot(self) -> Pilot:
        return cast(Pilot, self)

    def clock(self) -> datetime:
        self.looks += 1
        return datetime.now(UTC)

    def files_workload(self, name: str) -> FilesWorkload:
        return next(one for one in self.manifest.files if one.name == name)

    def cutover_state(self, _: str) -> CutoverState:
        return CutoverState.FROZEN

    def record(self, *_: object) -> None:
        pass

    def looks_of(self, work: Callable[[Pilot], object]) -> int:
        before = self.looks
        work(self.as_pilot())
        return self.looks - before


@pytest.mark.parametrize(("limits", "looked"), [("    bandwidth: {office: 400, night: 400}\n", True), ("", False)])
def test_a_pilots_files_keep_to_its_manifest(tmp_path: Path, cloud: Cloud, limits: str, looked: bool) -> None:
    for number in range(8):
        (tmp_path / str(number)).write_bytes(bytes(100_000))
    moving = Moving(tmp_path, cloud, limits)
    units = uploading.plan_files(moving.as_pilot(), "open_data")
    assert len(units) == 4
    for unit in units:
        assert (moving.looks_of(lambda pilot, unit=unit: uploading.move_files(pilot, unit, "open_data")) > 0) is looked
    (tmp_path / "0").write_bytes(b"changed")
    assert (moving.looks_of(uploading.send_changes) > 0) is looked
    (workload,) = moving.manifest.files
    when_it_began = 1
    assert (moving.looks_of(lambda pilot: proving_files.compared(pilot, workload)) > when_it_began) is looked
