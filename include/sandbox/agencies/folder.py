"""An agency's folder of files: ordinary ones in number, and by name or content every odd one that movers trip over."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sandbox.agencies.profiles import Profile

LARGE_BYTES = 6 * 1024 * 1024 + 7
FIRST_MTIME = int(datetime(2022, 10, 1, tzinfo=UTC).timestamp())
NAME_BYTES = 255  # of one path component: ext4, xfs and btrfs alike
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")

SARA_AM = "น\u0e49\u0e33"
NIKHAHIT = "น\u0e4d\u0e49\u0e32"


def make(root: Path, profile: Profile, *, seed: int, scale: float) -> int:
    """A new folder with the agency's files; gives how many regular files it holds. Raises FileExistsError."""
    root.mkdir(parents=True)
    count = 0
    for name, content in _files(profile, seed, scale):
        _write(root / name, content, FIRST_MTIME + 7919 * count)
        count += 1
    _link(root)
    return count


def _files(profile: Profile, seed: int, scale: float) -> Iterator[tuple[str, bytes]]:
    odd = list(_odd_files(_chance(seed, profile, "odd")))
    yield from odd
    for number in range(max(1, round(profile.files * scale) - len(odd))):
        # a generator per file, so that a larger scale adds files and changes none
        yield _ordinary_file(profile, number, _chance(seed, profile, number))


def _chance(seed: int, profile: Profile, what: object) -> random.Random:
    return random.Random(f"{seed}/{profile.pilot}/{what}")  # noqa: S311 (sample data, made to be repeatable)


def _ordinary_file(profile: Profile, number: int, chance: random.Random) -> tuple[str, bytes]:
    year = str(2566 + number % 4).translate(THAI_DIGITS)
    month = str(1 + number // 4 % 12).rjust(2, "0").translate(THAI_DIGITS)
    folder = f"ปีงบประมาณ {year}/เดือน {month}"
    size = min(int(chance.lognormvariate(8.3, 1.2)), 200_000)
    if number % 3 == 0:
        lines = (f"{n},{chance.choice(('ข้าว', 'ยางพารา', SARA_AM))},{chance.random():.6f}" for n in range(size // 24))
        return f"{folder}/ตาราง {number:05d}.csv", ("ลำดับ,ชื่อ,ค่า\r\n" + "\r\n".join(lines)).encode()
    suffix = ("pdf", "jpg", "docx")[number % 3 if number % 5 else 0]
    return f"{folder}/{profile.folder}_{number:05d}.{suffix}", chance.randbytes(size)


def _odd_files(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    yield from ((f"ชื่อแปลก/{name}", name.encode()) for name in _odd_names())
    yield "ว่าง/ศูนย์ไบต์.txt", b""
    yield "ว่าง/empty", b""
    yield "ใหญ่/ภาพถ่ายทางอากาศ.tif", chance.randbytes(LARGE_BYTES)
    yield "รหัสอักขระ/ทะเบียน_tis620.csv", "รหัส,ชื่อ\r\n๑,สมชาย\r\n๒,น้ำฝน\r\n".encode("tis_620")
    yield "รหัสอักขระ/ทะเบียน_utf8_bom.csv", "\ufeffรหัส,ชื่อ\r\n1,สมชาย\r\n".encode()
    yield "รหัสอักขระ/สูตร.csv", b'=HYPERLINK("http://example.invalid","x"),@SUM(1),-1+1\r\n'
    yield "/".join(["ลึก" * 26] * 4) + "/ท้ายสุด.txt", "ชื่อยาวใกล้ 1,024 ไบต์".encode()


def _odd_names() -> list[str]:
    return [
        "A.txt", "a.txt", "รายงาน.PDF", "รายงาน.pdf",
        "caf\u00e9.txt", "cafe\u0301.txt", f"{SARA_AM}.txt", f"{NIKHAHIT}.txt",
        "มี ช่อง ว่าง.txt", "  นำหน้า.txt", "ต่อท้าย .txt ", "สอง\nบรรทัด.txt", ".ซ่อน", "-rf", "จุดท้าย.",
        "100%20ละ+&?#=;:@,.txt", "a\\b.txt", "'อัญ'ประกาศ\".txt", "<b>&amp;{{ x }}$HOME.txt", "*.csv",
        "\u202eกลับ.txt", "ช้าง\U0001f418.txt", "con", "ไม่มีนามสกุล",
        "ก" * ((NAME_BYTES - 3) // 3) + ".md", "ข" * ((NAME_BYTES - 3) // 3) + ".md",
    ]  # fmt: skip


def _write(path: Path, content: bytes, mtime: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # "x": where the file system cannot tell two of our names apart, say so rather than lose one
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError as failure:
        raise FileExistsError(f"this file system takes two different names for one: {path.name!r}") from failure
    os.utime(path, (mtime, mtime))


def _link(root: Path) -> None:
    """Symbolic links to a file, to nothing, out of the folder, and in a circle: to be reported, never followed."""
    links = root / "ลิงก์"
    links.mkdir()
    for name, target in (
        ("ไปที่แฟ้ม.txt", "../ชื่อแปลก/A.txt"),
        ("ไม่มีปลายทาง", "ไม่มีอยู่"),
        ("ออกนอกโฟลเดอร์", "/etc/hostname"),
        ("วนกลับ", ".."),
    ):
        (links / name).symlink_to(target)
