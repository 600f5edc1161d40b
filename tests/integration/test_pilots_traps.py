"""Each sample pilot carries its designed trap as real rows and real files: asked of the agencies' own sides."""

from __future__ import annotations

import json
import os
import struct
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import free_port

from sandbox.agencies import database, folder
from sandbox.agencies.database import Login
from sandbox.agencies.profiles import PROFILES
from sandbox.postgres import Cluster

SCALE = 0.02
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Cluster(tmp_path_factory.mktemp("traps") / "pg", "127.0.0.1", free_port(), "boss", "pw")
    made.create()
    made.start()
    for profile in PROFILES.values():
        owner, service = Login(profile.owner, "x"), Login(profile.service, "y")
        database.make(made, profile, owner, service, seed=7, scale=SCALE)
    yield made
    made.stop()


def _session(cluster: Cluster, pilot: str, who: str) -> psycopg.Connection[Any]:
    profile = PROFILES[pilot]
    user, password = {"owner": (profile.owner, "x"), "service": (profile.service, "y")}[who]
    return psycopg.connect(
        host=cluster.host, port=cluster.port, dbname=profile.database, user=user, password=password, autocommit=True
    )


def _files(tmp_path: Path, pilot: str) -> dict[str, bytes]:
    root = tmp_path / pilot
    folder.make(root, PROFILES[pilot], seed=7, scale=SCALE)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for parent, _, names in os.walk(root)
        for path in (Path(parent, name) for name in names)
        if not path.is_symlink()
    }


TRAPS = {
    "p01 a database knows paths that differ in case only": (
        "p01", "SELECT count(*) > 10 FROM media AS a JOIN media AS b"
        " ON lower(a.path) = lower(b.path) AND a.path < b.path"),
    "p01 paths that differ in how a mark is encoded": (
        "p01", "SELECT count(*) > count(DISTINCT normalize(path, NFC)) FROM media"),
    "p01 paths that only NFKC makes one": (
        "p01", "SELECT count(DISTINCT normalize(path, NFC)) > count(DISTINCT normalize(path, NFKC)) FROM media"),
    "p03 committed in another order than begun": (
        "p03", "SELECT count(*) FILTER (WHERE begun < committed) > 100"
        " AND count(*) FILTER (WHERE begun > committed) > 100"
        " AND count(DISTINCT committed) = count(*) FROM booking_event"),
    "p03 rows do not lie in the order of their keys": (
        "p03", "SELECT count(*) > 10 FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS before FROM booking) AS b"
        " WHERE id < before"),
    "p03 rows were updated more than once": ("p03", "SELECT max(version) = 3 FROM booking"),
    "p03 places of called-off bookings were given away": (
        "p03", "SELECT count(*) > 10 FROM booking AS a JOIN booking AS b USING (office_id, counter)"
        " WHERE a.id < b.id AND a.during && b.during"),
    "p03 generated columns follow the state": (
        "p03", "SELECT bool_and(open = (state IN ('booked', 'called')) AND held = '10 minutes') FROM booking"),
    "p04 a row holds more than a megabyte": (
        "p04", f"SELECT count(*) >= 2 FROM evidence.attachment WHERE octet_length(body) > {MEBIBYTE}"),
    "p04 and text of as much": ("p04", f"SELECT max(octet_length(spoken)) > {MEBIBYTE} FROM evidence.transcript"),
    "p04 large objects hold more than a megabyte": (
        "p04", f"SELECT count(*) >= 2 FROM evidence.attachment WHERE octet_length(lo_get(large)) > {MEBIBYTE}"),
    "p04 every large object is what its row says": (
        "p04", "SELECT bool_and(sha256(lo_get(large)) = sha256 AND octet_length(lo_get(large)) = bytes)"
        " FROM evidence.attachment WHERE large IS NOT NULL"),
    "p04 no compressor makes them small": (
        "p04", f"SELECT min(pg_column_size(body)) > {MEBIBYTE} FROM evidence.attachment"
        f" WHERE bytes > {MEBIBYTE} AND large IS NULL"),
    "p06 lines whose bytes are no UTF-8": (
        "p06", "SELECT bool_and(convert_from(raw, 'WIN874') = read_as) FROM import.line JOIN import.file ON id = file"
        " WHERE encoding = 'TIS-620'"),
    "p06 four more encodings": (
        "p06", "SELECT count(DISTINCT encoding) = 5 FROM import.line JOIN import.file ON id = file"),
    "p06 the same day in two calendars": (
        "p06", "SELECT count(*) > 100 FROM import.line WHERE day_typed ~ '^[0-9]{2}/[0-9]{2}/[0-9]{4}$'"
        " AND right(day_typed, 4)::int = extract(year FROM day) + 543"),
    "p06 the calendar is declared": (
        "p06", "SELECT calendar = 'buddhist' FROM import.column_calendar"
        " WHERE (table_name, column_name) = ('import.line', 'day_typed')"),
    "p06 a leap day read in the wrong calendar": ("p06", "SELECT max(day) = '2568-02-29' FROM import.line"),
    "p06 names read in the wrong encoding": (
        "p06", "SELECT bool_and(convert_from(convert_to(given, 'LATIN1'), 'WIN874') ~ '^[ก-๙]+$') AND count(*) > 5"
        " FROM import.misread JOIN trainee USING (id, given)"),
    "p07 most licences are final": ("p07", "SELECT count(*) FILTER (WHERE final) > count(*) / 2 FROM licence"),
    "p07 rows lie in all four tables": ("p07", "SELECT count(DISTINCT tableoid) = 4 FROM licence"),
    "p07 steps that undo others": ("p07", "SELECT count(*) > 50 FROM history WHERE undoes = 2"),
    "p08 geometry is WKB, and EWKB too": (
        "p08", "SELECT count(DISTINCT get_byte(wkb, 0)) = 2 AND min(octet_length(wkb)) = 21"
        " AND max(octet_length(wkb)) = 25 FROM place"),
    "p08 no extension knows it": ("p08", "SELECT count(*) = 0 FROM pg_extension WHERE extname LIKE 'postgis%'"),
    "p08 composites within composites, and parts of them missing": (
        "p08", "SELECT count(*) > 5 FROM parcel WHERE ((box).northeast).latitude IS NULL AND box IS NOT NULL"
        " AND ((box).southwest).latitude IS NOT NULL"),
    "p08 arrays of two dimensions": ("p08", "SELECT bool_and(array_dims(ring) = '[1:4][1:2]') FROM parcel"),
    "p08 minus zero and no number": (
        "p08", "SELECT bool_and(vertices[5]::text = '-0' AND vertices[6] = 'NaN') FROM road"),
    "p09 rows that are there twice": (
        "p09", 'SELECT count(*) > count(DISTINCT a.*) FROM "Legacy"."ASSET_MASTER" AS a'),
    "p11 references more than eight deep": (
        "p11", """WITH RECURSIVE chain AS (
            SELECT DISTINCT confrelid AS target, conrelid AS source, 1 AS depth FROM pg_constraint
            WHERE contype = 'f' AND confrelid = 'region'::regclass
            UNION SELECT c.confrelid, c.conrelid, chain.depth + 1 FROM pg_constraint AS c JOIN chain
            ON c.confrelid = chain.source WHERE contype = 'f' AND c.conrelid <> c.confrelid
        ) SELECT max(depth) = 9 FROM chain"""),
    "p11 federations of federations": ("p11", "SELECT max(depth) >= 7 FROM federation_tree"),
    "p11 notes of somebody else": (
        "p11", "SELECT count(DISTINCT inspector) = 2 FROM inspector_note"),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_the_rows_hold(cluster: Cluster, trap: str) -> None:
    pilot, query = TRAPS[trap]
    with _session(cluster, pilot, "owner") as connection:
        assert connection.execute(query.encode()).fetchone() == (True,)


def test_p07_refuses_a_final_licence_whoever_brings_it(cluster: Cluster) -> None:
    again = (
        "INSERT INTO licence SELECT 'L-2569-9999999', application, holder, valid, true, signature FROM licence LIMIT 1"
    )
    for who in ("service", "owner"):
        with _session(cluster, "p07", who) as connection:
            with pytest.raises(psycopg.errors.RaiseException, match="granted, not inserted"):
                connection.execute(again.encode())
            with pytest.raises(psycopg.errors.RaiseException, match="is final"):
                connection.execute("UPDATE licence SET valid = 'empty' WHERE final")


def test_p03_refuses_two_at_one_counter(cluster: Cluster) -> None:
    second = """INSERT INTO booking (id, office_id, counter, citizen, during, ticket, token, created, updated)
        SELECT 9000000, office_id, counter, citizen, during, 998, gen_random_uuid(), created, updated
        FROM booking WHERE state = 'booked' LIMIT 1"""
    with _session(cluster, "p03", "service") as connection, pytest.raises(psycopg.errors.ExclusionViolation):
        connection.execute(second.encode())


def test_p11_hides_rows_from_the_service_and_rewrites_what_it_asks(cluster: Cluster) -> None:
    with _session(cluster, "p11", "service") as connection:
        assert connection.execute("SELECT DISTINCT inspector FROM inspector_note").fetchall() == [("cooperatives_app",)]
        with connection.transaction(force_rollback=True):
            before = connection.execute("SELECT count(*) FROM cooperative").fetchone()
            connection.execute("DELETE FROM open_cooperative WHERE id = 7")
            assert connection.execute("SELECT count(*) FROM cooperative").fetchone() == before
            closed = connection.execute("SELECT closed FROM cooperative WHERE id = 7").fetchone()
            assert closed is not None and closed[0] is not None
            assert connection.execute("INSERT INTO price VALUES (1, '2027-01-01', 0)").rowcount == 0


def test_p01_files_differ_in_case_or_in_how_a_mark_is_encoded(tmp_path: Path) -> None:
    files = _files(tmp_path, "p01")
    pdfs = [path for path in files if path.startswith("ข่าว/")]
    assert len(pdfs) == 72
    assert len({path.lower() for path in pdfs}) == 60
    assert len({unicodedata.normalize("NFC", path) for path in pdfs}) == 60
    assert len({unicodedata.normalize("NFKC", path).lower() for path in pdfs}) == 36
    assert len({files[path] for path in pdfs}) == 72  # whoever merges two of them is found out


def test_p04_files_lie_about_the_sizes_at_which_uploads_are_cut(tmp_path: Path) -> None:
    sizes = {len(content) for path, content in _files(tmp_path, "p04").items() if path.startswith("ใหญ่/")}
    assert {MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 16 * MEBIBYTE + 1} <= sizes


def test_p06_files_are_in_five_encodings_with_a_note_that_says_which_and_which_calendar(tmp_path: Path) -> None:
    files = _files(tmp_path, "p06")
    notes = {path: json.loads(content) for path, content in files.items() if path.endswith(".json")}
    assert Counter(note["encoding"] for note in notes.values()) == dict.fromkeys(
        ("tis_620", "cp874", "utf-8", "utf-8-sig", "utf-16"), 4
    )
    for path, note in notes.items():
        raw = files[path.replace(".json", ".csv")]
        assert "สมมติวงศ์,29/02/256" in raw.decode(note["encoding"])
        assert note["calendar"] == "buddhist"
        if note["encoding"] in ("tis_620", "cp874", "utf-16"):
            with pytest.raises(UnicodeDecodeError):
                raw.decode()
    mixed = files["ทะเบียน/ปนกันในแฟ้มเดียว.csv"]
    with pytest.raises(UnicodeDecodeError):
        mixed.decode()
    misread = mixed.decode("tis_620")  # no error, and wrong
    assert "ลำดับ" in misread and "สมชาย" not in misread and "วันดี" not in misread


def test_p07_papers_differ_in_one_byte_under_one_name_and_size(tmp_path: Path) -> None:
    papers = [content for path, content in _files(tmp_path, "p07").items() if path.endswith("ใบอนุญาต.pdf")]
    assert len(papers) == len(set(papers)) == 12
    assert {len(paper) for paper in papers} == {20_000}


def test_p08_layers_are_the_same_points_in_two_byte_orders(tmp_path: Path) -> None:
    files = _files(tmp_path, "p08")
    for number in range(1, 9):
        layer = f"ชั้นข้อมูล/{number:02}/points"
        told = [tuple(point) for point in json.loads(files[f"{layer}.geojson"])["coordinates"]]
        assert [(x, y) for _, _, x, y in struct.iter_unpack(">BIdd", files[f"{layer}.wkb"])] == told
        assert [(x, y) for _, _, _, x, y in struct.iter_unpack("<BIIdd", files[f"{layer}.ewkb"])] == told


def test_p11_files_lie_ten_folders_deep_under_one_name(tmp_path: Path) -> None:
    files = _files(tmp_path, "p11")
    charters = [path for path in files if path.endswith("/ข้อบังคับ.txt")]
    assert len(charters) == 30
    assert max(path.count("/") for path in charters) == 11
