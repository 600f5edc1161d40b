"""Bad manifests are refused with file, line, field, found, expected; the others load all the same."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from onboarding.manifests import BadManifest, load_file, load_folder, parse
from sandbox.agencies import web_front
from sandbox.agencies.profiles import PROFILES

PILOTS = Path(__file__).parents[2] / "include" / "pilots"
GOOD = (PILOTS / "p02.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PILOTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_sample_is_good_and_says_that_it_is_fictional(path: Path) -> None:
    manifest = load_file(path)
    assert manifest.id == path.stem
    assert manifest.fictional
    assert "สมมติ" in manifest.name.th


def problem_of(source: str):
    with pytest.raises(BadManifest) as caught:
        parse(source, "p02.yaml")
    return caught.value.problems[0]


def line_with(source: str, word: str) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if word in line)


@pytest.mark.parametrize(
    ("old", "new", "key", "field"),
    [
        ("region: ", "regoin: x\nregion: ", "unknown_field", "regoin"),
        ("monthly_budget_usd: 900", "monthly_budget_usd: plenty", "bad_value", "account.monthly_budget_usd"),
        ("region: ap-southeast-7", "region: ap-southeast-7\nregion: us-east-1", "duplicate_key", "region"),
        ("received: 2026-10-05", "received: 2569-10-05", "buddhist_era", "request.received"),
        ("received: 2026-10-05", "received: 2026-02-30", "no_such_day", "request.received"),
        ("id: p02\n", "id: p๐๒\n", "bad_value", "id"),
        ("name: registry", "name: ../../etc/passwd", "bad_value", "databases.0.name"),
        ("service_role: registry_app", "service_role: 'x\"; drop table y;--'", "bad_value", "databases.0.service_role"),
        ("service_role: registry_app", "service_role: " + "ก" * 22, "bad_value", "databases.0.service_role"),
        ("id: p02\n", "", "missing_field", "id"),
        ('opens: "00:00"', 'opens: "00:00Z"', "bad_value", "cutover.window.opens"),
        ("soak: PT5S", "soak: -PT5S", "bad_value", "soak"),
        ("probes: 5", "probes: 5, health_url: 'https://a:b@go.th/'", "bad_value", "cutover.traffic.health_url"),
    ],
)
def test_a_bad_field_is_named_with_its_line(old: str, new: str, key: str, field: str) -> None:
    source = GOOD.replace(old, new)
    assert source != GOOD
    problem = problem_of(source)
    assert (problem.key, problem.field) == (key, field)
    assert "p02.yaml" in problem.render("en") and "p02.yaml" in problem.render("th")
    if new:
        last = new.splitlines()[-1 if key == "duplicate_key" else 0]
        assert problem.line == line_with(source, last)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("a: &a [x,x]\nb: *a\n", "alias"),
        ("id: !!python/object/apply:os.system ['true']\n", "tag"),
        ("[" * 2000, "too_deep"),
        ("id: [\n", "not_yaml"),
        ("- 1\n", "not_a_mapping"),
        ("id: '\n", "not_yaml"),
    ],
)
def test_dangerous_yaml_is_refused_before_it_is_built(source: str, key: str) -> None:
    assert problem_of(source).key == key


def test_fifty_megabytes_cost_less_than_a_second(tmp_path: Path) -> None:
    path = tmp_path / "p02.yaml"
    path.write_bytes(b"a: " + b"x" * 50_000_000)
    began = time.process_time()
    with pytest.raises(BadManifest) as caught:
        load_file(path)
    assert caught.value.problems[0].key == "too_large"
    assert time.process_time() - began < 1


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "p02.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "p03.yaml").write_bytes(GOOD.encode("tis-620", errors="replace"))
    (tmp_path / "p04.yaml").symlink_to("/etc/passwd")
    (tmp_path / "p05.yaml").write_text(GOOD, encoding="utf-8")
    loaded = load_folder(tmp_path)
    assert list(loaded.manifests) == ["p02"]
    assert {name: bad.problems[0].key for name, bad in loaded.bad.items()} == {
        "p03.yaml": "not_utf8",
        "p04.yaml": "not_a_file",
        "p05.yaml": "id_taken",
    }


FOLLOWED = (PILOTS / "p03.yaml").read_text(encoding="utf-8")
SECOND = """  - {name: archive, engine: copy, service_role: archive_app,
     target: {instance_class: db.t4g.small, storage_gib: 20}}
files:"""


BY_HAND = "traffic: {mode: manual, record: registry.go.th.example, ttl_s: 300, step: PT0S, change_within: PT10M}"


def with_traffic(of: str, traffic: str) -> str:
    changed, times = re.subn(r"traffic: \{.*\}", traffic, of)
    assert times == 1
    return changed


def test_a_name_outside_route_53_is_turned_by_people_and_waited_for_so_long(tmp_path: Path) -> None:
    (tmp_path / "p02.yaml").write_text(with_traffic(GOOD, BY_HAND), encoding="utf-8")
    traffic = load_folder(tmp_path).manifests["p02"].cutover.traffic
    assert (traffic.mode, traffic.zone, traffic.change_within) == ("manual", None, timedelta(minutes=10))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", change_within: PT10M", "", "needs `change_within`"),
        ("ttl_s:", "zone: go.th.example, ttl_s:", "has no `zone`"),
        ("ttl_s:", "ramp: [0, 50, 100], ttl_s:", "a person changes one record, once"),
        ("mode: manual", "mode: route53", "needs `zone`"),
    ],
)
def test_a_name_is_turned_by_one_of_the_two(old: str, new: str, said: str) -> None:
    assert old in BY_HAND
    assert said in problem_of(with_traffic(GOOD, BY_HAND.replace(old, new, 1))).render("en")


@pytest.mark.parametrize(
    ("source", "old", "new", "said"),
    [
        (FOLLOWED, "files:", SECOND, "one engine"),
        (FOLLOWED, "engine: follow", "engine: copy", "leave `reads` out"),
        (FOLLOWED, "reads: board.p03.pilots.example", "reads: queue.p03.pilots.example", "two databases would take"),
        (FOLLOWED, "reads: board.p03.pilots.example", "reads: board.p04.pilots.example", "does not lie in zone"),
        (GOOD, "engine: copy", "engine: dms", "'copy' or 'follow'"),
    ],
)
def test_what_would_move_one_night_by_two_ways_is_refused(source: str, old: str, new: str, said: str) -> None:
    assert old in source
    assert said in problem_of(source.replace(old, new)).render("en")


def test_services_in_use_are_those_that_are_followed_by_the_names_that_lead_to_them() -> None:
    manifests = load_folder(PILOTS).manifests
    in_use = {pilot: profile.in_use for pilot, profile in PROFILES.items() if profile.in_use}
    assert in_use == {m.id: m.cutover.traffic.record for m in manifests.values() if m.follows}


def test_names_that_agencies_keep_themselves_are_those_that_people_turn() -> None:
    manifests = load_folder(PILOTS).manifests
    own = {pilot: profile.own_name for pilot, profile in PROFILES.items() if profile.own_name}
    assert own == {m.id: m.cutover.traffic.record for m in manifests.values() if m.cutover.traffic.mode == "manual"}
    assert own


def test_pages_that_are_asked_are_those_of_agencies_with_a_front_end() -> None:
    manifests = load_folder(PILOTS).manifests.values()
    page = f":{web_front.PORT}{web_front.PAGE}"
    ends = {pilot: f"http://{profile.web_host}{page}" for pilot, profile in PROFILES.items() if profile.web}
    assert ends == {m.id: m.cutover.traffic.health_url for m in manifests if m.cutover.traffic.health_url}
    assert ends
