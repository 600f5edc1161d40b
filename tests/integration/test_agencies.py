"""The agencies' side as the journey finds it: real servers, odd rows, odd files, the same for the same seed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import stat
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import psycopg
import pytest
from psycopg import sql

from sandbox import privileges
from sandbox.agencies import database, folder
from sandbox.agencies.database import Login
from sandbox.agencies.profiles import PROFILES
from sandbox.postgres import Cluster, bin_dir

SCALE = 0.02
INCLUDE = Path(__file__).parents[2] / "include"
PINNED = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c extra_float_digits=3 -c bytea_output=hex"
OURS = "relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)')"
Pilots = dict[str, Any]


def _start(home: Path, subnet: str, port: int, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sandbox.agencies", "--state", home / "state", "--ready", home / "ready.json"]
    command += ["--service-port", str(port), "--subnet", subnet, "--scale", str(SCALE), *more]
    return subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(INCLUDE)}, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _ready(home: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (home / "ready.json").exists():
            return dict(json.loads((home / "ready.json").read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise AssertionError(f"not ready; exit status {process.poll()}")


def _free_place() -> tuple[str, int]:
    subnet = f"127.{64 + secrets.randbelow(128)}.{1 + secrets.randbelow(250)}"
    with socket.socket() as probe:
        probe.bind((f"{subnet}.202", 0))
        return subnet, int(probe.getsockname()[1])


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _silent_within(seconds: float, pilots: Pilots) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_answers(p["address"], p["port"]) for p in pilots.values()):
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilots]:
    home = tmp_path_factory.mktemp("agencies")
    process = _start(home, *_free_place())
    try:
        yield _ready(home, process)["pilots"]
    finally:
        process.terminate()
        process.wait(30)


def _connect(pilot: dict[str, Any], who: str = "owner", options: str = PINNED) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=pilot["address"], port=pilot["port"], dbname=pilot["database"], user=pilot[who]["user"],
        password=pilot[who]["password"], options=options, autocommit=True,
    )  # fmt: skip


def _one(pilot: dict[str, Any], query: str, who: str = "owner") -> Any:
    with _connect(pilot, who) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def _everywhere(agencies: Pilots, query: str) -> int:
    return sum(_one(pilot, query) for pilot in agencies.values())


# --- the process


def test_only_the_ready_file_holds_the_passwords_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    process = _start(tmp_path, *_free_place(), "--pilots", "p09", "--watch-stdin")
    try:
        ready = _ready(tmp_path, process)
        assert ready["pid"] == process.pid
        assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600
        password = ready["pilots"]["p09"]["owner"]["password"].encode()
        text_files = [f for f in (tmp_path / "state").rglob("*") if f.is_file() and f.suffix in ("", ".log", ".conf")]
        assert text_files
        assert not [f for f in text_files if password in f.read_bytes()]
        assert process.stdin is not None
        process.stdin.close()  # what a parent's death does
        assert process.wait(20) == 0
        assert _silent_within(5, ready["pilots"])
        assert not (tmp_path / "ready.json").exists()
    finally:
        process.kill()


def test_a_killed_process_leaves_no_server_and_the_next_one_starts_clean(tmp_path: Path) -> None:
    subnet, port = _free_place()
    first = _start(tmp_path, subnet, port, "--pilots", "p09")
    second = None
    try:
        pilots = _ready(tmp_path, first)["pilots"]
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        second = _start(tmp_path, subnet, port, "--pilots", "p09")  # at once, in the same folder
        (tmp_path / "ready.json").unlink(missing_ok=True)
        again = _ready(tmp_path, second)["pilots"]
        assert again["p09"]["owner"]["password"] != pilots["p09"]["owner"]["password"]
        assert _one(again["p09"], 'SELECT count(*) FROM "Legacy"."ASSET_MASTER"') > 900
        second.terminate()
        assert second.wait(20) == 0
        assert _silent_within(5, again)
    finally:
        for process in filter(None, (first, second)):
            process.kill()


def test_told_to_stop_while_it_still_makes_rows_it_stops(tmp_path: Path) -> None:
    subnet, port = _free_place()
    process = _start(tmp_path, subnet, port, "--scale", "5", "--pilots", "p02")
    try:
        deadline = time.monotonic() + 30
        while not _answers(f"{subnet}.202", port) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()  # rows for many seconds are ahead of it
        assert process.wait(10) == 0
        assert not (tmp_path / "ready.json").exists()
        assert not _answers(f"{subnet}.202", port)
    finally:
        process.kill()


def test_somebody_elses_folder_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "thesis.txt").write_text("ten years of work")
    assert _start(tmp_path, *_free_place()).wait(20) == 1
    assert (tmp_path / "state" / "thesis.txt").read_text() == "ten years of work"


# --- the databases


def test_owner_is_no_superuser_and_owns_everything(agencies: Pilots) -> None:
    for pilot in agencies.values():
        assert (
            _one(pilot, "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
            is False
        )
        strangers = """SELECT count(*) FROM pg_class WHERE relowner <> current_user::regrole
            AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_schema)')"""
        assert _one(pilot, strangers) == 0
        assert _one(pilot, "SELECT current_setting('wal_level')") == "logical"


def test_the_service_writes_rows_and_owns_nothing(agencies: Pilots) -> None:
    queries = {
        "p01": "UPDATE post SET title = title WHERE published IS NOT NULL",
        "p02": 'UPDATE "ทะเบียนหนังสือส่งออก" SET "เรื่อง" = "เรื่อง"',
        "p03": "UPDATE booking SET ticket = ticket",
        "p04": "UPDATE complaint SET body = body",
        "p05": "UPDATE dataset SET keywords = keywords WHERE title_en <> ''",
        "p06": "UPDATE import.line SET read_as = read_as WHERE day < '2100-01-01'",
        "p07": "UPDATE application SET form = form",
        "p08": "UPDATE parcel SET shape = shape",
        "p09": 'UPDATE "Legacy"."ASSET_MASTER" SET "QTY" = "QTY" WHERE "PRICE" < 1e9',
        "p11": "UPDATE product SET name = name WHERE stock >= 0",
    }
    for name, pilot in agencies.items():
        with _connect(pilot, "service") as connection, connection.transaction(force_rollback=True):
            assert connection.execute(queries[name]).rowcount > 10  # type: ignore[call-overload]
        owned = _one(pilot, "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole", "service")
        assert owned == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege), _connect(pilot, "service") as connection:
            connection.execute("CREATE TABLE public.mine ()")


def test_writing_a_row_adds_to_the_audit_so_that_a_mover_that_fires_triggers_is_caught(agencies: Pilots) -> None:
    cases = {
        "p01": ("UPDATE post SET title = title WHERE published IS NOT NULL", "SELECT count(*) FROM change_log"),
        "p02": ('UPDATE "ทะเบียนหนังสือรับเข้า" SET "จาก" = NULL', 'SELECT count(*) FROM "บันทึกการแก้ไข"'),
        "p03": ("UPDATE booking SET state = 'missed' WHERE state = 'booked'", "SELECT count(*) FROM audit"),
        "p04": ("UPDATE complaint SET body = body", "SELECT count(*) FROM access_log"),
        "p05": ("UPDATE dataset SET created = created WHERE title_en <> ''", "SELECT count(*) FROM change_log"),
        "p06": ("UPDATE trainee SET title = title", "SELECT count(*) FROM change_log"),
        "p07": ("UPDATE application SET form = form", "SELECT count(*) FROM outbox"),
        "p08": ("UPDATE place SET layer = layer", "SELECT count(*) FROM edit_log"),
        "p09": ('INSERT INTO "Legacy"."ASSET_MASTER" DEFAULT VALUES', "SELECT count(*) FROM audit_trail"),
        "p11": ("UPDATE cooperative SET closed = '2026-09-30' WHERE closed IS NULL", "SELECT count(*) FROM rule_log"),
    }
    for name, (write, count) in cases.items():
        with _connect(agencies[name]) as connection, connection.transaction(force_rollback=True):
            before = connection.execute(count).fetchone()  # type: ignore[call-overload]
            changed = connection.execute(write).rowcount  # type: ignore[call-overload]
            after = connection.execute(count).fetchone()  # type: ignore[call-overload]
            assert after[0] - before[0] == changed > 0


def test_scale_1_means_about_200_000_rows_a_pilot_and_2_million_rows_and_5_000_files_in_all(agencies: Pilots) -> None:
    at_scale_1 = {}
    for name, pilot in agencies.items():
        with _connect(pilot) as connection:
            tables = _one(
                pilot, f"SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND {OURS}"
            )
            leaves = connection.execute(
                f"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND {OURS}"
            ).fetchall()
            counts = [_one(pilot, f"SELECT count(*) FROM ONLY {leaf}") for (leaf,) in leaves]
        assert 10 <= tables <= 24, name
        assert 0 in counts, name
        fixed = FIXED_ROWS.get(name, 0)
        at_scale_1[name] = (sum(counts) - fixed) / SCALE + fixed
        assert 165_000 < at_scale_1[name] < 240_000, (name, at_scale_1[name])
    assert 1_900_000 < sum(at_scale_1.values()) < 2_200_000, at_scale_1
    files = {name: profile.files for name, profile in PROFILES.items()}
    assert sum(files.values()) == 5_000
    assert files.pop("p05") == 2_100
    assert all(150 <= count <= 450 for count in files.values())


def test_no_citizen_number_has_its_right_check_digit(agencies: Pilots) -> None:
    numbers = []
    for pilot, query in (
        ("p02", 'SELECT "เลขประจำตัว" FROM "เจ้าหน้าที่"'), ("p03", "SELECT citizen_id FROM citizen"),
        ("p04", "SELECT citizen_id FROM person"), ("p06", "SELECT citizen_id FROM trainee"),
        ("p07", "SELECT citizen_id FROM applicant"), ("p09", "SELECT citizen_id FROM custodian"),
    ):  # fmt: skip
        with _connect(agencies[pilot]) as connection:
            numbers += [row[0] for row in connection.execute(query).fetchall()]  # type: ignore[call-overload]
    assert len(numbers) > 1_000
    for number in numbers:
        assert re.fullmatch(r"[1-8]\d{12}", number, re.ASCII)
        right = (11 - sum(int(digit) * (13 - place) for place, digit in enumerate(number[:12])) % 11) % 10
        assert int(number[12]) != right


def test_identifiers_reach_63_bytes_and_two_differ_in_the_last_letter_only(agencies: Pilots) -> None:
    with _connect(agencies["p02"]) as connection:
        names = [row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')")]
    longest = [name for name in names if len(name.encode()) == 63]
    assert len(longest) == 3
    assert len({name[:-1] for name in longest}) == 2


PLACES = 77 + 928 + 7436
FIXED_ROWS = {
    "p01": 500, "p02": PLACES, "p03": 928 * 4 + 1800, "p04": 106, "p05": PLACES, "p06": 1023, "p07": 117, "p08": 200,
    "p09": 7436, "p11": PLACES + 6,
}  # fmt: skip
"""About how many rows a database holds at any scale: provinces, kinds, settings."""

FEATURES = {
    "arrays": "pg_attribute WHERE attrelid > 16384 AND attndims > 0",
    "bytea": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'bytea'::regtype",
    "character(n)": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'bpchar'::regtype",
    "json": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'json'::regtype",
    "jsonb": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'jsonb'::regtype",
    "plain numeric": "pg_attribute WHERE atttypid = 'numeric'::regtype AND atttypmod = -1 AND attrelid > 16384",
    "timestamp": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'timestamp'::regtype",
    "timestamptz": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'timestamptz'::regtype",
    "uuid": "pg_attribute WHERE attrelid > 16384 AND atttypid = 'uuid'::regtype",
    "stored generated column": "pg_attribute WHERE attgenerated = 's'",
    "virtual generated column": "pg_attribute WHERE attgenerated = 'v'",
    "identity always": "pg_attribute WHERE attidentity = 'a'",
    "identity by default": "pg_attribute WHERE attidentity = 'd'",
    "enum": "pg_type WHERE typtype = 'e' AND oid > 16384",
    "domain": "pg_type WHERE typtype = 'd' AND oid > 16384",
    "range type": "pg_type WHERE typtype = 'r' AND oid > 16384",
    "composite type": "pg_class WHERE relkind = 'c' AND oid > 16384",
    "range partition": "pg_class WHERE relispartition AND pg_get_expr(relpartbound, oid) LIKE 'FOR VALUES FROM%'",
    "default partition": "pg_class WHERE relispartition AND pg_get_expr(relpartbound, oid) = 'DEFAULT'",
    "inheritance": "pg_inherits JOIN pg_class AS c ON c.oid = inhrelid WHERE relkind = 'r' AND NOT relispartition",
    "composite key": "pg_constraint WHERE contype = 'p' AND cardinality(conkey) > 1 AND conrelid > 16384",
    "no primary key": """pg_class AS c WHERE relkind = 'r' AND oid > 16384 AND NOT EXISTS
        (SELECT FROM pg_constraint WHERE contype = 'p' AND conrelid = c.oid)""",
    "deferrable cycle": """pg_constraint AS a JOIN pg_constraint AS b
        ON (a.conrelid, a.confrelid) = (b.confrelid, b.conrelid)
        WHERE a.contype = 'f' AND b.contype = 'f' AND a.condeferred AND a.oid <> b.oid""",
    "exclusion constraint": "pg_constraint WHERE contype = 'x'",
    "constraint not valid": "pg_constraint WHERE NOT convalidated AND conrelid > 16384",
    "view": "pg_views WHERE schemaname !~ '^(pg_|information_schema)'",
    "materialized view": "pg_matviews",
    "trigger": "pg_trigger WHERE NOT tgisinternal",
    "trigger enabled always": "pg_trigger WHERE tgenabled = 'A'",
    "disabled trigger": "pg_trigger WHERE tgenabled = 'D'",
    "owned sequence": "pg_depend WHERE deptype = 'a' AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')",
    "sequence counting down": "pg_sequences WHERE increment_by < 0",
    "sequence never used": "pg_sequences WHERE last_value IS NULL",
    "large object": "pg_largeobject_metadata",
    "large object with rights": "pg_largeobject_metadata WHERE lomacl IS NOT NULL",
    "comment": "pg_description WHERE objoid > 16384",
    "row security policy": "pg_policy",
    "statistics object": "pg_statistic_ext",
    "hash partition": "pg_class WHERE relispartition AND pg_get_expr(relpartbound, oid) ILIKE '%modulus%'",
    "rule": "pg_rewrite WHERE rulename <> '_RETURN' AND oid > 16384",
    "domain upon a domain": """pg_type AS t JOIN pg_type AS base ON base.oid = t.typbasetype
        WHERE t.typtype = 'd' AND base.typtype = 'd'""",
    "composite within a composite": """pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        JOIN pg_type AS t ON t.oid = a.atttypid WHERE c.relkind = 'c' AND t.typtype = 'c' AND c.oid > 16384""",
    "partial exclusion": """pg_constraint JOIN pg_index ON indexrelid = conindid
        WHERE contype = 'x' AND indpred IS NOT NULL""",
    "deferrable key": "pg_constraint WHERE contype IN ('p', 'u') AND condeferrable",
    "reference MATCH FULL": "pg_constraint WHERE contype = 'f' AND confmatchtype = 'f'",
    "partial index": "pg_index WHERE indpred IS NOT NULL",
    "expression index": "pg_index WHERE indexprs IS NOT NULL AND indrelid > 16384",
    "function": "pg_proc WHERE oid > 16384 AND prokind = 'f'",
    "column right": "pg_attribute WHERE attacl IS NOT NULL AND attrelid > 16384",
    "database setting": "pg_db_role_setting",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_the_databases_together_hold(agencies: Pilots, feature: str) -> None:
    assert _everywhere(agencies, f"SELECT count(*) FROM {FEATURES[feature]}") > 0


@pytest.mark.parametrize(
    ("pilot", "query"),
    [
        ("p02", """SELECT count(DISTINCT "คำ") = 3 AND count(DISTINCT normalize("คำ", NFKC)) < 3
            FROM "ตัวอย่างอักขระ" WHERE "รหัส" <= 3"""),
        ("p02", """SELECT count(*) > 0 FROM "ทะเบียนหนังสือรับเข้า" WHERE "จาก" = '' """),
        ("p02", """SELECT count(*) > 0 FROM "ทะเบียนหนังสือรับเข้า" WHERE "เลขที่หนังสือ" ~ '[๐-๙]' """),
        ("p02", """SELECT bool_or("พ้นงาน" = 'infinity') FROM "เจ้าหน้าที่" """),
        ("p02", """SELECT bool_or("ค่าธรรมเนียม" = 'NaN') FROM "ทะเบียนหนังสือรับเข้า" """),
        ("p02", """SELECT count(*) > 0 FROM "เส้นทางหนังสือ" WHERE btrim("คำสั่ง") = '' """),  # breaks its NOT VALID check
        ("p09", """SELECT count(*) > 0 FROM inspection_1_3 WHERE inspector NOT IN (SELECT id FROM custodian)"""),
        ("p09", """SELECT count(*) > count(DISTINCT a.*) FROM "Legacy"."DEPRECIATION" AS a"""),
        ("p09", "SELECT (SELECT last_value FROM custodian_id_seq) > (SELECT max(id) FROM custodian)"),
        ("p09", """SELECT count(*) > 0 FROM "TEMP_IMPORT" WHERE "C2" = '' """),
    ],
)  # fmt: skip
def test_rows_hold_what_movers_trip_over(agencies: Pilots, pilot: str, query: str) -> None:
    assert _one(agencies[pilot], query) is True


def test_every_province_district_and_subdistrict_is_there(agencies: Pilots) -> None:
    assert _one(agencies["p02"], 'SELECT count(*) FROM "จังหวัด"') == 77
    assert _one(agencies["p05"], "SELECT count(*) FROM district") > 900
    assert _one(agencies["p09"], 'SELECT count(*) FROM "Legacy"."AREA"') > 7000


def test_an_owner_can_dump_and_another_ordinary_owner_can_load_it(agencies: Pilots, tmp_path: Path) -> None:
    """So that a mover's failure is the mover's: PostgreSQL's own tools carry all of them with owner's rights."""
    cluster = Cluster(tmp_path / "target", "127.0.0.1", _free_place()[1], "postgres", secrets.token_urlsafe())
    cluster.create()
    cluster.start()
    try:
        for pilot in agencies.values():
            dump = tmp_path / f"{pilot['database']}.dump"
            _tool("pg_dump", pilot, "-Fc", "-Z0", "-f", str(dump))
            target = pilot | {"address": cluster.host, "port": cluster.port}
            with cluster.connect() as connection:
                for who in ("owner", "service"):
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(pilot[who]["user"]), sql.Literal(pilot[who]["password"])
                        )
                    )
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        *map(sql.Identifier, (pilot["database"], pilot["owner"]["user"]))
                    )
                )
            _tool("pg_restore", target, "--exit-on-error", "-d", pilot["database"], str(dump))
            assert _content(_connect(target)) == _content(_connect(pilot))
    finally:
        cluster.stop()


def _tool(name: str, pilot: dict[str, Any], *arguments: str) -> None:
    where = ["-h", pilot["address"], "-p", str(pilot["port"]), "-U", pilot["owner"]["user"], "-w"]
    last = [pilot["database"]] if name == "pg_dump" else []
    environment = {"PGPASSWORD": pilot["owner"]["password"], "PATH": os.defpath}
    done = subprocess.run(
        [bin_dir() / name, *where, *arguments, *last], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def _content(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Per table, sequence and large object what it holds, independent of order."""
    with connection:
        names = connection.execute(
            """SELECT nspname, relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2"""
        ).fetchall()
        query = sql.SQL("SELECT count(*), sum(hashtextextended(t::text, 1)::numeric)::text FROM ONLY {} AS t")
        found = {".".join(name): connection.execute(query.format(sql.Identifier(*name))).fetchone() for name in names}
        found["sequences"] = connection.execute(
            "SELECT json_agg(ARRAY[schemaname, sequencename, last_value::text] ORDER BY schemaname, sequencename)"
            " FROM pg_sequences"
        ).fetchone()
        found["large objects"] = connection.execute(
            "SELECT json_agg(ARRAY[oid::text, md5(lo_get(oid))] ORDER BY oid) FROM pg_largeobject_metadata"
        ).fetchone()
    return found


def test_the_same_seed_makes_the_same_content_and_another_seed_does_not(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "pg", "127.0.0.1", _free_place()[1], "postgres", secrets.token_urlsafe())
    cluster.create()
    cluster.start()
    try:
        for profile in PROFILES.values():
            contents = []
            for seed in (7, 7, 8):
                _drop(cluster, profile.database, profile.owner, profile.service)
                owner, service = Login(profile.owner, "one"), Login(profile.service, "two")
                database.make(cluster, profile, owner, service, seed=seed, scale=0.005)
                pilot = {"address": cluster.host, "port": cluster.port, "database": profile.database}
                pilot |= {"owner": {"user": profile.owner, "password": "one"}}
                contents.append(_content(_connect(pilot)))
            assert contents[0] == contents[1]
            assert contents[0] != contents[2]
    finally:
        cluster.stop()


def _drop(cluster: Cluster, name: str, *roles: str) -> None:
    with cluster.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        for role in roles:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


# --- the files


def _tree(root: Path) -> dict[str, tuple[str, int]]:
    found = {}
    for parent, _, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path.relative_to(root))] = (digest, path.stat().st_mtime_ns)
    return found


def test_files_are_the_same_for_the_same_seed_and_a_larger_scale_only_adds(tmp_path: Path) -> None:
    profile = PROFILES["p02"]
    wanted = (("a", 7, 0.4), ("b", 7, 0.4), ("c", 8, 0.4), ("d", 7, 0.8))
    made = [folder.make(tmp_path / name, profile, seed=seed, scale=scale) for name, seed, scale in wanted]
    a, b, c, d = (_tree(tmp_path / name) for name in "abcd")
    assert made == [140, 140, 140, 280] == [len(a), len(b), len(c), len(d)]
    assert a == b != c
    assert a.items() < d.items()


def test_the_folder_holds_the_names_and_contents_that_movers_trip_over(agencies: Pilots) -> None:
    root = Path(agencies["p02"]["files"])
    names = {str(path.relative_to(root)) for path in root.rglob("*")}
    assert {"ชื่อแปลก/A.txt", "ชื่อแปลก/a.txt", "ชื่อแปลก/caf\u00e9.txt", "ชื่อแปลก/cafe\u0301.txt"} <= names
    assert len({unicodedata.normalize("NFC", name) for name in names}) < len(names)
    assert max(len(Path(name).name.encode()) for name in names) == 255
    assert 900 < max(len(name.encode()) for name in names) <= 1000
    assert any("\n" in name for name in names)
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert min(sizes) == 0
    assert max(sizes) > 6_000_000
    assert sum(path.is_symlink() for path in root.rglob("*")) == 4
    with pytest.raises(UnicodeDecodeError):
        (root / "รหัสอักขระ/ทะเบียน_tis620.csv").read_bytes().decode()
    assert "น้ำฝน" in (root / "รหัสอักขระ/ทะเบียน_tis620.csv").read_bytes().decode("tis_620")


def test_files_are_served_to_one_login_that_may_only_read(agencies: Pilots) -> None:
    side = agencies["p11"]
    there, known = Path(side["files"]), ([asyncssh.import_public_key(side["sftp"]["host_key"])], [], [])
    assert [pilot for pilot, other in agencies.items() if other["sftp"]] == ["p11"]

    def connect(password: str) -> Any:
        at = {"port": side["sftp"]["port"], "known_hosts": known, "client_keys": None, "agent_path": None}
        return asyncssh.connect(side["address"], username=side["sftp"]["user"], password=password, **at)

    async def visit() -> set[str]:
        with pytest.raises(asyncssh.PermissionDenied):
            await connect("guessed")
        async with connect(side["sftp"]["password"]) as connection, connection.start_sftp_client() as sftp:
            for write in (
                sftp.open("/charters/new", "w"), sftp.mkdir("/charters/new"), sftp.remove("/charters/README.txt"),
                sftp.rename("/charters", "/other"), sftp.setstat("/charters", asyncssh.SFTPAttrs(permissions=0)),
                sftp.symlink("x", "/charters/new"),
            ):  # fmt: skip
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await write
            return {name for name in await sftp.listdir("/charters") if name not in (".", "..")}

    assert asyncio.run(visit()) == {entry.name for entry in there.iterdir()}


def test_servers_never_run_as_root(agencies: Pilots) -> None:
    identity = privileges.unprivileged()
    state = Path(agencies["p02"]["files"]).parent / "pgdata"
    assert state.stat().st_uid == (identity[0] if identity else os.geteuid())
    assert state.stat().st_uid != 0
