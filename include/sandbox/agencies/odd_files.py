"""The files that are there on purpose: what a careless mover of an agency's folder loses, merges or misreads."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator

File = tuple[str, bytes]
"""A path below the folder, and the content."""

LARGE_BYTES = 6 * 1024 * 1024 + 7
NAME_BYTES = 255  # of one path component: ext4, xfs and btrfs alike
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")

SARA_AM = "น\u0e49\u0e33"
NIKHAHIT = "น\u0e4d\u0e49\u0e32"
SARA_AM_APART = "น\u0e49\u0e4d\u0e32"  # what NFKC, and not NFC, makes of sara am
FIRST_BUDDHIST_YEAR = 2566


def odd_files(pilot: str, chance: random.Random) -> Iterator[File]:
    """The designed files of one agency; the same for the same `chance`."""
    yield from OF_ITS_OWN.get(pilot, _every_oddity)(chance)


def _every_oddity(chance: random.Random) -> Iterator[File]:
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


def _spelled_alike(_: random.Random) -> Iterator[File]:
    """p01: names that differ in case only, or in how a mark is encoded, each with a content of its own."""
    for number in range(1, 13):
        folder = f"ข่าว/{FIRST_BUDDHIST_YEAR + number % 4}"
        for stem in ("ประกาศ", SARA_AM, SARA_AM_APART, "caf\u00e9", "cafe\u0301"):
            yield f"{folder}/{stem}_{number}.pdf", f"%PDF {stem.encode().hex()} {number}".encode()
        yield f"{folder}/ประกาศ_{number}.PDF", f"%PDF capitals {number}".encode()
    yield from ((f"{folder}/Index.html", folder.encode()) for folder in ("Download", "download", "DOWNLOAD"))
    yield "ภาพ/โลโก้.SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    yield "ภาพ/โลโก้.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='1'/>"
    yield "ภาพ/%E0%B8%82.jpg", b"percent-encoded in the name itself"
    yield "ภาพ/ข.jpg", b"what the name above decodes to"


def _tickets(_: random.Random) -> Iterator[File]:
    """p03: queue tickets printed twice a second, some empty because the printer was asked while the row was locked."""
    for number in range(40):
        text = "" if number % 10 == 9 else f"คิวที่ {number:03}\r\n".translate(THAI_DIGITS)
        yield f"วันนี้/คิว_{number:03}.txt", text.encode()


def _attachments(chance: random.Random) -> Iterator[File]:
    """p04: attachments about the sizes at which movers begin to send parts: a byte less, just so, a byte more."""
    for mebibytes, more in ((1, -1), (1, 0), (1, 1), (5, 0), (16, 1)):
        yield f"ใหญ่/แนบ_{mebibytes}MiB{more:+d}.mp4", chance.randbytes(mebibytes * 1024 * 1024 + more)
    yield "ว่าง/ไฟล์แนบศูนย์ไบต์.jpg", b""


def _registers(chance: random.Random) -> Iterator[File]:
    """p06: one register in every encoding, days of the Buddhist Era, and beside each a note that declares both."""
    encodings = {"tis620": "tis_620", "win874": "cp874", "utf8": "utf-8", "utf8_bom": "utf-8-sig", "utf16": "utf-16"}
    for year in range(FIRST_BUDDHIST_YEAR, FIRST_BUDDHIST_YEAR + 4):
        for short, codec in encodings.items():
            stem = f"ทะเบียน/{year}_{short}"
            yield f"{stem}.csv", "\r\n".join(_register(year, chance)).encode(codec)
            note = {"encoding": codec, "calendar": "buddhist", "date_format": "dd/mm/yyyy"}
            yield f"{stem}.json", json.dumps(note, indent=1).encode()
    lines = ["ลำดับ,ชื่อ".encode("tis_620"), "1,สมชาย".encode(), "2,วันดี".encode("utf-16-le")]
    yield "ทะเบียน/ปนกันในแฟ้มเดียว.csv", b"\r\n".join(lines)


def _register(year: int, chance: random.Random) -> Iterator[str]:
    yield "ลำดับ,ชื่อ,วันที่อบรม"
    for number in range(1, 61):
        # B.E. 2567 had a leap day; the other three years have none, and somebody typed it all the same
        day = f"29/02/{year}" if number == 7 else f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{year}"
        yield f"{number},{chance.choice(('สมชาย', 'วันดี', SARA_AM + 'ฝน'))} สมมติวงศ์,{day}"


def _applications(chance: random.Random) -> Iterator[File]:
    """p07: signed papers: the same name and size, and one byte of difference."""
    paper = chance.randbytes(20_000)
    for number in range(12):
        changed = bytearray(paper)
        changed[number * 1_000] ^= 1
        yield f"ลงนามแล้ว/{number:02}/ใบอนุญาต.pdf", bytes(changed)
        yield f"ลงนามแล้ว/{number:02}/ใบอนุญาต.pdf.sig", chance.randbytes(256)


def _layers(chance: random.Random) -> Iterator[File]:
    """p08: one layer is five files that belong together; coordinates to the last bit, in two byte orders."""
    for number in range(1, 9):
        layer = f"ชั้นข้อมูล/{number:02}"
        points = [(97.4 + 8 * chance.random(), 5.7 + 14.7 * chance.random()) for _ in range(200)]
        yield f"{layer}/points.wkb", b"".join(struct.pack(">BIdd", 0, 1, x, y) for x, y in points)
        yield f"{layer}/points.ewkb", b"".join(struct.pack("<BIIdd", 1, 0x20000001, 4326, x, y) for x, y in points)
        shape = {"type": "MultiPoint", "coordinates": points}
        yield f"{layer}/points.geojson", json.dumps(shape).encode()
        yield f"{layer}/points.prj", b'GEOGCS["WGS 84",DATUM["WGS_1984"]]'
        yield f"{layer}/points.cpg", b"TIS-620" if number % 2 else b"UTF-8"


def _charters(_: random.Random) -> Iterator[File]:
    """p11: folders within folders, a name for each of ten levels, and the same file name on every one."""
    for branch in ("เหนือ", "กลาง", "ใต้"):
        for depth in range(1, 11):
            path = "/".join(f"ชั้น {level}".translate(THAI_DIGITS) for level in range(1, depth + 1))
            yield f"{branch}/{path}/ข้อบังคับ.txt", f"{branch} {depth}".encode()


OF_ITS_OWN: dict[str, Callable[[random.Random], Iterator[File]]] = {
    "p01": _spelled_alike,
    "p03": _tickets,
    "p04": _attachments,
    "p06": _registers,
    "p07": _applications,
    "p08": _layers,
    "p11": _charters,
}
