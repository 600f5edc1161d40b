"""What the upload engine sees in a folder, what it refuses, and how it shares it out."""

from __future__ import annotations

import json
import os
import random
import socket
from pathlib import Path

import pytest

from onboarding.errors import Stop
from onboarding.files.plan import FILE_COST_BYTES, Batch, balance, plan, refuse_shared_keys
from onboarding.files.reading import read
from onboarding.files.scan import SourceFile, assess, scan
from onboarding.files.sources import Changed
from onboarding.files.sources.local import Local


def _fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def _ids(root: Path, prefix: str = "") -> dict[str, str]:
    return {finding.id: finding.severity for finding in assess(root, prefix=prefix)}


def test_every_regular_file_is_found_by_its_exact_name(tmp_path: Path) -> None:
    names = [
        "ก/ข/ค.txt",
        "caf\u00e9",
        "cafe\u0301",
        "น\u0e49\u0e33",
        "น\u0e4d\u0e49\u0e32",
        "A",
        "a",
        "สอง\nบรรทัด",
        " ",
        ".ซ่อน",
    ]
    _fill(tmp_path, *names)
    found = scan(tmp_path)
    assert [file.path for file in found.files] == sorted(names, key=str.encode)
    assert all(file.size == len(file.path.encode()) for file in found.files)
    assert (found.excluded, found.refused, found.empty_folders) == ((), (), ())


def test_links_and_special_files_are_named_with_their_kind_and_not_followed(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    _fill(root, "แฟ้ม")
    _fill(elsewhere, "secret")
    (root / "to file").symlink_to(root / "แฟ้ม")
    (root / "to folder").symlink_to(elsewhere)
    (root / "loop").symlink_to(".")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(root)  # a socket's path holds at most 107 bytes
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    found = scan(root)
    assert [file.path for file in found.files] == ["แฟ้ม"]
    assert {e.path: e.reason for e in found.excluded} == {
        "to file": "symlink", "to folder": "symlink", "loop": "symlink", "dangling": "symlink", "pipe": "fifo",
        "socket": "socket",
    }  # fmt: skip
    assert _ids(root) == {"file_symlink": "warning", "file_fifo": "warning", "file_socket": "warning"}


def test_names_that_cannot_be_keys_close_the_gate_and_the_plan(tmp_path: Path) -> None:
    _fill(tmp_path, "good")
    assert _ids(tmp_path) == {}
    name = "ทะเบียน.csv".encode("tis_620")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"x")
    (finding,) = assess(tmp_path)
    assert (finding.id, finding.severity, finding.values["count"]) == ("file_not_utf8", "critical", 1)
    with pytest.raises(Stop) as refusal:
        plan(tmp_path, 2)
    assert refusal.value.key == "files.cannot_move"
    for language in ("th", "en"):
        assert "1" in finding.what(language)
        assert finding.remedy(language)
        assert "not_utf8" in refusal.value.render(language)


def test_a_key_may_hold_1024_bytes_and_not_one_more(tmp_path: Path) -> None:
    path = "/".join(["ก" * 80] * 4) + "/" + "a" * 50  # 4 * 241 + 50 = 1014 bytes
    _fill(tmp_path, path)
    assert len(path.encode()) == 1014
    assert _ids(tmp_path, "123456789/") == {}
    assert _ids(tmp_path, "1234567890/")["file_key_too_long"] == "critical"


def test_an_empty_folder_is_told_and_a_folder_without_files_closes_the_gate(tmp_path: Path) -> None:
    (tmp_path / "ว่าง").mkdir()
    assert _ids(tmp_path) == {"file_empty_folder": "info", "file_none": "critical"}
    with pytest.raises(Stop) as refusal:
        plan(tmp_path, 2)
    assert refusal.value.key == "files.nothing"
    with pytest.raises(Stop) as refusal:
        assess(tmp_path / "not there")
    assert refusal.value.key == "files.no_folder"


def test_text_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "เก่า.csv").write_bytes("รหัส,ชื่อ\r\n".encode("tis_620"))
    (tmp_path / "ใหม่.csv").write_bytes("ก".encode() * 30_000)  # 65,536 is no multiple of 3: cut inside a letter
    (tmp_path / "ภาพ.jpg").write_bytes(b"\xff\xd8")
    (finding,) = assess(tmp_path)
    assert (finding.id, finding.severity, finding.values["examples"]) == ("file_text_not_utf8", "info", "'เก่า.csv'")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_we_may_not_read_closes_the_gate(tmp_path: Path) -> None:
    _fill(tmp_path, "open", "closed/inside", "shut")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "shut").chmod(0)
    try:
        assert [(r.path, r.reason) for r in scan(tmp_path).refused] == [
            ("closed", "unreadable"),
            ("shut", "unreadable"),
        ]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_batches_are_balanced_complete_and_the_same_each_time() -> None:
    chance = random.Random(7)
    files = [SourceFile(f"แฟ้ม {n}", int(chance.lognormvariate(12, 2))) for n in range(1000)]
    batches = balance(files, 4)
    assert sorted(file.path for batch in batches for file in batch.files) == sorted(file.path for file in files)
    weights = [batch.size + FILE_COST_BYTES * len(batch.files) for batch in batches]
    assert max(weights) - min(weights) <= 2 * (max(file.size for file in files) + FILE_COST_BYTES)
    whole = sorted((file.path for file in files), key=str.encode)
    assert [file.path for batch in batches for file in batch.files] == whole, "a batch is a stretch of the order"
    shuffled = list(files)
    chance.shuffle(shuffled)
    assert balance(shuffled, 4) == batches
    assert [batch.id for batch in batches] == ["batch-0001", "batch-0002", "batch-0003", "batch-0004"]


def test_small_files_are_shared_by_number_and_no_batch_is_empty() -> None:
    assert sorted(len(one.files) for one in balance([SourceFile(str(n), 0) for n in range(10)], 4)) == [2, 2, 3, 3]
    assert [len(batch.files) for batch in balance([SourceFile("one", 1), SourceFile("two", 9)], 4)] == [1, 1]


def test_a_batch_survives_being_stored_as_json(tmp_path: Path) -> None:
    _fill(tmp_path, "caf\u00e9", "cafe\u0301", "สอง\nบรรทัด", '"')
    for batch in plan(tmp_path, 2):
        assert Batch.from_json(json.loads(json.dumps(batch.as_json()))) == batch


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "a//b", ".", "", "a/\0"])
def test_a_stored_plan_cannot_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (planned,) = Batch.from_json({"id": "batch-0001", "files": [[path, 1]]}).files
    with pytest.raises(Stop) as refusal, Local(tmp_path).opened(planned.path):
        pass
    assert refusal.value.key == "files.bad_path"


def test_two_files_with_one_key_are_refused() -> None:
    refuse_shared_keys([SourceFile("caf\u00e9", 1), SourceFile("cafe\u0301", 1)], "p/")
    with pytest.raises(Stop) as refusal:
        refuse_shared_keys([SourceFile("same", 1), SourceFile("same", 1)], "p/")
    assert refusal.value.key == "files.one_key"


def test_a_link_put_in_the_place_of_a_planned_folder_or_file_is_not_followed(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    _fill(root, "keep")
    _fill(elsewhere, "secret")
    (root / "folder").symlink_to(elsewhere)
    (root / "file").symlink_to(elsewhere / "secret")
    os.mkfifo(root / "pipe")
    for path in ("folder/secret", "file", "pipe", "nothing", "keep/below"):
        with pytest.raises(Stop) as refusal, Local(root).opened(path):
            pass
        assert refusal.value.key == "files.gone"


def test_writing_while_reading_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a" * 100)
    with Local(tmp_path).opened("log") as file:
        assert read(file, parts_from=1000).size == 100
    for write in (append, replace):
        with Local(tmp_path).opened("log") as file, pytest.raises(Changed):
            write(tmp_path / "log")
            read(file, parts_from=1000)


def append(log: Path) -> None:
    with log.open("ab") as stream:
        stream.write(b"b")


def replace(log: Path) -> None:
    log.with_name("new").write_bytes(log.read_bytes())
    log.with_name("new").replace(log)
