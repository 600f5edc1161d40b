"""An agency's folder of files: ordinary ones in number, beside the odd ones that are there on purpose."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sandbox.agencies.odd_files import SARA_AM, THAI_DIGITS, File, odd_files
from sandbox.agencies.profiles import Profile

FIRST_MTIME = int(datetime(2022, 10, 1, tzinfo=UTC).timestamp())


def make(root: Path, profile: Profile, *, seed: int, scale: float) -> int:
    """A new folder with the agency's files; gives how many regular files it holds. Raises FileExistsError."""
    root.mkdir(parents=True)
    count, first = 0, ""
    for name, content in _files(profile, seed, scale):
        _write(root / name, content, FIRST_MTIME + 7919 * count)
        count, first = count + 1, first or name
    _link(root, first)
    return count


def _files(profile: Profile, seed: int, scale: float) -> Iterator[File]:
    odd = list(odd_files(profile.pilot, _chance(seed, profile, "odd")))
    yield from odd
    for number in range(max(1, round(profile.files * scale) - len(odd))):
        # a generator per file, so that a larger scale adds files and changes none
        yield _ordinary_file(profile, number, _chance(seed, profile, number))


def _chance(seed: int, profile: Profile, what: object) -> random.Random:
    return random.Random(f"{seed}/{profile.pilot}/{what}")  # noqa: S311 (sample data, made to be repeatable)


def _ordinary_file(profile: Profile, number: int, chance: random.Random) -> File:
    year = str(2566 + number % 4).translate(THAI_DIGITS)
    month = str(1 + number // 4 % 12).rjust(2, "0").translate(THAI_DIGITS)
    folder = f"ปีงบประมาณ {year}/เดือน {month}"
    size = min(int(chance.lognormvariate(8.3, 1.2)), 200_000)
    if number % 3 == 0:
        lines = (f"{n},{chance.choice(('ข้าว', 'ยางพารา', SARA_AM))},{chance.random():.6f}" for n in range(size // 24))
        return f"{folder}/ตาราง {number:05d}.csv", ("ลำดับ,ชื่อ,ค่า\r\n" + "\r\n".join(lines)).encode()
    suffix = ("pdf", "jpg", "docx")[number % 3 if number % 5 else 0]
    return f"{folder}/{profile.folder}_{number:05d}.{suffix}", chance.randbytes(size)


def _write(path: Path, content: bytes, mtime: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # "x": where the file system cannot tell two of our names apart, say so rather than lose one
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError as failure:
        raise FileExistsError(f"this file system takes two different names for one: {path.name!r}") from failure
    os.utime(path, (mtime, mtime))


def _link(root: Path, first: str) -> None:
    """Symbolic links to a file, to nothing, out of the folder, and in a circle: to be reported, never followed."""
    links = root / "ลิงก์"
    links.mkdir()
    for name, target in (
        ("ไปที่แฟ้ม.txt", f"../{first}"),
        ("ไม่มีปลายทาง", "ไม่มีอยู่"),
        ("ออกนอกโฟลเดอร์", "/etc/hostname"),
        ("วนกลับ", ".."),
    ):
        (links / name).symlink_to(target)
