"""Findings, their waivers, the names that Thai text makes collide, and shards of about one size."""

from __future__ import annotations

from datetime import date

from onboarding.databases.assess import cut, name_findings
from onboarding.databases.plan import Part, balance
from onboarding.databases.plan import cut as cut_table
from onboarding.manifest import Waiver
from onboarding.readiness import Finding, apply_waivers

KEYLESS = Finding("table_without_key", "warning", "public.a", {"rows": 1})
TRIGGER = Finding("event_trigger", "critical", "watch", {"event": "ddl_command_end"})
OTHER = Finding("event_trigger", "critical", "guard", {"event": "ddl_command_end"})


def waiver(finding: str, expires: date = date(2026, 12, 31)) -> Waiver:
    return Waiver(finding=finding, by="approver1", reason="known", expires=expires)


def test_a_waiver_opens_the_gate_until_its_day_is_over() -> None:
    findings = [KEYLESS, TRIGGER, OTHER]
    assert apply_waivers(findings, (), date(2026, 1, 1)).critical == (TRIGGER, OTHER)
    waivers = (waiver("event_trigger"),)
    held = apply_waivers(findings, waivers, date(2026, 12, 31))
    assert held.open == (KEYLESS,) and not held.critical
    assert [one.waiver.by for one in held.waived] == ["approver1", "approver1"]
    assert apply_waivers(findings, waivers, date(2027, 1, 1)).critical == (TRIGGER, OTHER)


def test_a_waiver_may_name_one_place_only() -> None:
    held = apply_waivers([TRIGGER, OTHER], (waiver("event_trigger:watch"),), date(2026, 1, 1))
    assert held.open == (OTHER,)
    assert held.waived[0].finding == TRIGGER
    assert apply_waivers([TRIGGER], (waiver("event_trigge"),), date(2026, 1, 1)).open == (TRIGGER,)


def test_thai_names_collide_where_postgresql_cuts_them() -> None:
    long = "ทะเบียนหนังสือรับส่งของ"  # 23 letters, 69 bytes
    assert cut(long) == long[:21]
    assert cut("a" + long) == "a" + long[:20]  # 61 bytes: a letter is never cut in two
    found = {(f.id, f.where) for f in name_findings([("public", long + "ก"), ("public", long + "ข"), ("x", long)])}
    assert ("identifiers_collide", f"public.{long}ก") in found
    assert not any(where.startswith("x.") for kind, where in found if kind == "identifiers_collide")


def test_two_spellings_of_one_word_are_told() -> None:
    found = list(name_findings([("public", "น้ำ"), ("public", "น้ํา"), ("public", "other")]))
    assert [finding.id for finding in found] == ["identifiers_look_alike"]


def part(name: str, size: int) -> Part:
    return Part("rows", "public", name, ("public", name), None, None, size)


def test_shards_are_of_about_one_size_and_hold_everything_once() -> None:
    parts = [part(f"t{n}", size) for n, size in enumerate([90, 10, 40, 40, 35, 5, 0, 0, 80])]
    shards = balance(parts, 3)
    assert sorted(p.table for shard in shards for p in shard.parts) == sorted(p.table for p in parts)
    assert max(s.bytes for s in shards) <= 4 / 3 * 100  # Graham's bound; a third of all is 100
    assert balance(parts, 3) == balance(reversed(parts), 3)
    assert len(balance(parts[:2], 16)) == 2
    assert balance([], 4) == []


def test_a_big_table_is_cut_without_gap_or_overlap_and_open_at_the_end() -> None:
    pieces = list(cut_table(part("big", 1000), 97, 300))
    assert len(pieces) == 4
    assert pieces[0].first == 0 and pieces[-1].end is None
    assert [p.end for p in pieces[:-1]] == [p.first for p in pieces[1:]]
    assert len({p.id for p in pieces}) == 4
    assert [p.end for p in cut_table(part("empty", 0), 0, 300)] == [None]


def test_part_names_never_meet() -> None:
    first = Part("rows", "a", 'b","c', ("a", "b"), 0, None, 0)
    second = Part("rows", 'a","b', "c", ("a", "b"), 0, None, 0)
    assert first.id != second.id
