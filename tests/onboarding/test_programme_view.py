"""The programme view: every number counted again in SQL, the fold from the last record equal to that from nothing."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from journeys import journey, manifest, move, prove, tell

from onboarding import approvals, gates
from onboarding.approvals import Person
from onboarding.cutover.state import CutoverState
from onboarding.evidence_kinds import MovedRows, Reconciled, Refused, Rehearsal, RunBegan
from onboarding.observations import Answer, Observation
from onboarding.programme import progress, troubles
from onboarding.programme.lanes import About
from onboarding.programme.reading import Programme, Reading
from onboarding.programme.rules import load_rules
from onboarding.programme.standing import KINDS
from onboarding.programme.view import Reader, view
from onboarding.thai_calendar import BANGKOK

P02, P05, P09 = manifest("p02"), manifest("p05"), manifest("p09")
MANIFESTS = (P02, P05, P09)
EVERYTHING = Reader(None, task_reasons=True)


def see(ledger, house, *, reader=EVERYTHING, language="en", manifests=MANIFESTS, sandbox=False, reading=None):
    with (reading or Reading(ledger)).current() as programme:
        abouts = [About.of(one) for one in manifests]
        told = view(programme, abouts, load_rules(), reader, language, house.clock.now, sandbox=sandbox)
    return json.loads(json.dumps(told))


def lane(told, pilot):
    return next(one for one in told["lanes"] if one["id"] == pilot)


def look(ledger, house, pilot, gate, *seen: tuple[str, Answer], run="r1"):
    checks = {
        name: (lambda name=name, answer=answer: Observation(name, answer, 1, 2, house.clock.now, "gates.no_evidence"))
        for name, answer in seen
    }
    verdict = gates.evaluate(checks, house.clock)
    final = verdict.answer is not Answer.UNKNOWN
    gates.observe(ledger, pilot, gate, verdict, final=final, run=run)


def later(house, **length):
    house.clock.now += timedelta(**length)


# ---- a programme in which everything happens, and what SQL says of it --------------------------------------------


def receive(ledger, of, run="r1"):
    request = of.request.model_dump(mode="json")
    ledger.record(of.id, "manifest", of.id, {"manifest": of.model_dump(mode="json", by_alias=True)}, run=run)
    ledger.record(of.id, "request", of.id, {"request": request, "policy": "x"}, run=run)


@pytest.fixture
def busy(ledger, house):
    """p02 live with waits on its way, p05 waits for a person after a trouble that was mended, p09 refused."""
    tell(ledger, "p02", RunBegan(True, True, "platform", P02.digest()), "r1")
    receive(ledger, P02)
    progress.enter(ledger, "p02", "intake", run="r1")
    later(house, minutes=3)
    progress.passed(ledger, "p02", "intake", run="r1")
    progress.enter(ledger, "p02", "account", run="r1")
    look(ledger, house, "p02", "account_made", ("account.active", Answer.UNKNOWN))
    later(house, minutes=7)
    look(ledger, house, "p02", "account_made", ("account.active", Answer.PASS))
    later(house, minutes=2)
    progress.passed(ledger, "p02", "account", run="r1")
    progress.enter(ledger, "p02", "migration", run="r1")
    later(house, minutes=4)
    move(ledger, P02, "rehearsal-1", 20)
    later(house, minutes=1)
    troubles.tell_trouble(ledger, "p02", "copy", 3, {"th": "ก", "en": "Key (id)=(7)"}, "stop", run="r1")
    later(house, minutes=5)
    tell(ledger, "p02", MovedRows("registry", "rehearsal-1", "c", 4))
    troubles.mend(ledger, "p02", "copy", 3, run="r1")
    for stage in ("migration", "validation", "cutover"):
        later(house, minutes=6)
        if stage == "validation":
            prove(ledger, P02)
            tell(ledger, "p02", Rehearsal(10, 2, 30, True))
        if stage == "cutover":
            approvals.ask(ledger, "p02", "d", 1, [Person("1", "approver1", "n")], run="r1")
            later(house, hours=5)
            approvals.record(
                ledger, "p02", "d", "approver1", "approve", automated=False, ordinal=1, requester="platform", run="r1"
            )
        progress.passed(ledger, "p02", stage, run="r1")
        progress.enter(ledger, "p02", progress.STAGES[progress.STAGES.index(stage) + 1], run="r1")
    progress.passed(ledger, "p02", "soak", run="r1")
    progress.enter(ledger, "p02", "live", run="r1")
    progress.passed(ledger, "p02", "live", run="r1")

    receive(ledger, P05, "r5")
    journey(ledger, house.clock, P05, until="validation")
    progress.enter(ledger, "p05", "cutover", run="r1")
    approvals.ask(ledger, "p05", "d", 1, [Person("1", "approver1", "n"), Person("2", "approver2", "n")], run="r1")

    receive(ledger, P09, "r9")
    progress.enter(ledger, "p09", "intake", run="r9")
    look(ledger, house, "p09", "intake", ("policy.classification", Answer.FAIL), run="r9")
    progress.failed(ledger, "p09", "intake", run="r9")
    tell(ledger, "p09", Refused("intake", "policy x", "very_secret"), "r9")
    later(house, minutes=11)
    return ledger


STATE = """
SELECT pilot,
       CASE kind WHEN 'refused' THEN 'refused' ELSE body::jsonb ->> 'stage' END,
       CASE kind WHEN 'stage' THEN body::jsonb ->> 'state' END, at
FROM (SELECT DISTINCT ON (pilot) * FROM ledger.records WHERE kind IN ('stage', 'refused') ORDER BY pilot, seq DESC) l
"""
PASSED = """
SELECT count(DISTINCT r.pilot) FROM ledger.records r WHERE kind = 'stage' AND body::jsonb ->> 'stage' = %s
AND body::jsonb ->> 'state' = 'passed' AND NOT EXISTS (SELECT FROM ledger.records x
WHERE x.pilot = r.pilot AND x.kind = 'refused')
"""
FIRST = """
SELECT min(at) FROM ledger.records WHERE pilot = %s AND kind = ANY(%s)
AND (%s = '' OR body::jsonb ->> 'stage' = %s) AND (%s = '' OR body::jsonb ->> 'state' = %s)
"""


def first(sql, pilot, kinds, stage="", state=""):
    return sql.execute(FIRST, [pilot, kinds, stage, stage, state, state]).fetchone()[0]


def test_every_count_is_what_sql_counts(busy, house):
    told = see(busy, house)
    with house.owner.connect() as sql:
        (pilots,) = sql.execute("SELECT count(DISTINCT pilot) FROM ledger.records WHERE kind = 'manifest'").fetchone()
        states = {pilot: (stage, state) for pilot, stage, state, _ in sql.execute(STATE).fetchall()}
        stages = {"approved": "intake", "account_ready": "account", "migrated": "migration", "validated": "validation"}
        reached = {name: sql.execute(PASSED, [stage]).fetchone()[0] for name, stage in stages.items()}
        live = sum(state == ("live", "passed") for state in states.values())
        refused = sum(stage == "refused" for stage, _ in states.values())
        (seq,) = sql.execute("SELECT max(seq) FROM ledger.records").fetchone()
        (waiting,) = sql.execute(
            "SELECT count(*) FROM (SELECT DISTINCT ON (pilot) kind FROM ledger.records"
            " WHERE kind IN ('approval', 'approval_asked') ORDER BY pilot, seq DESC) l WHERE kind = 'approval_asked'"
        ).fetchone()
    assert told["counts"] == {"identified": pilots, **reached, "live": live, "refused": refused}
    assert told["counts"] == {
        "identified": 3, "approved": 2, "account_ready": 2, "migrated": 2, "validated": 2, "live": 1, "refused": 1,
    }  # fmt: skip
    assert (told["goal"], told["scope"]) == (10, "programme")
    assert told["ledger"]["record"] == seq
    assert told["waiting_for_people"] == waiting == 1


def test_a_refused_candidate_is_counted_once_and_is_no_pilot(busy, house):
    with Reading(busy).current() as programme:
        abouts = [About.of(one) for one in MANIFESTS]
        how = {"sandbox": True, "refused_candidates": {"p09", "p11"}}
        told = view(programme, abouts, load_rules(), EVERYTHING, "en", house.clock.now, **how)
        own = view(programme, abouts, load_rules(), Reader({"p02"}, True), "en", house.clock.now, **how)
    assert (told["counts"]["refused"], told["counts"]["identified"], len(told["lanes"])) == (2, 3, 3)
    assert own["counts"]["refused"] == 0


def test_every_time_is_what_sql_computes(busy, house):
    told = lane(see(busy, house), "p02")
    with house.owner.connect() as sql:
        begun, live = first(sql, "p02", ["stage"]), first(sql, "p02", ["stage"], "live", "passed")
        account = first(sql, "p02", ["stage"], "account", "passed")
        data = first(sql, "p02", ["moved_rows", "moved_files"])
        (received,) = sql.execute(
            "SELECT body::jsonb -> 'request' ->> 'received' FROM ledger.records"
            " WHERE pilot = 'p02' AND kind = 'request'"
        ).fetchone()
        asked = datetime.combine(date.fromisoformat(received), time(), BANGKOK)
    spans = {span["name"]: span for span in told["spans"]}
    lengths = {"request": begun - min(asked, begun), "account": account - begun, "first_data": data - account}
    lengths["live"] = live - data
    assert {name: span["length_s"] for name, span in spans.items()} == {
        name: pytest.approx(length.total_seconds(), abs=0.001) for name, length in lengths.items()
    }
    assert told["lead"]["length_s"] == pytest.approx((live - begun).total_seconds(), abs=0.001)
    assert all(span["over"] for span in told["spans"])
    lead = see(busy, house)["lead"]
    assert (lead["pilots"], lead["length_s"]) == (1, told["lead"]["length_s"])
    assert lead["waited_percent"] == round(100 * told["lead"]["waited_s"] / told["lead"]["length_s"])
    assert lead["waited_percent"] + lead["worked_percent"] == 100 > lead["waited_percent"] > 0


def test_waiting_is_told_apart_from_work(busy, house):
    """The gaps between the records that open and close a wait, by SQL's own clock arithmetic."""
    with house.owner.connect() as sql:

        def at(kind, answer="", last=False):
            order = "DESC" if last else "ASC"
            return sql.execute(
                f"SELECT at FROM ledger.records WHERE pilot = 'p02' AND kind = %s AND (%s = '' OR"
                f" body::jsonb ->> 'answer' = %s) ORDER BY seq {order} LIMIT 1",
                [kind, answer, answer],
            ).fetchone()[0]

        account = (at("observation", "pass") - at("observation", "unknown")).total_seconds()
        mended = (at("mended") - at("trouble")).total_seconds()
        asked = (at("approval") - at("approval_asked")).total_seconds()
    spans = {span["name"]: span for span in lane(see(busy, house), "p02")["spans"]}
    assert spans["account"]["waited_s"] == pytest.approx(account, abs=0.01) == pytest.approx(420, abs=1)
    assert spans["first_data"]["waited_s"] == 0
    assert spans["live"]["waited_s"] == pytest.approx(mended + asked, abs=0.01) == pytest.approx(300 + 5 * 3600, abs=1)
    assert spans["request"]["waited_s"] is None
    for span in spans.values():
        if span["waited_s"] is not None:
            assert span["worked_s"] == pytest.approx(span["length_s"] - span["waited_s"], abs=0.002)


def test_what_was_compared_is_what_the_verifier_said_last(busy, house):
    tell(busy, "p05", Reconciled(P05.databases[0].name, "rows", "cutover", 31, 2))
    told = lane(see(busy, house), "p05")
    with house.owner.connect() as sql:
        rows = sql.execute(
            "SELECT what, sum(source), sum(unaccounted)"
            " FROM (SELECT DISTINCT ON (subject) body::jsonb ->> 'what' AS what,"
            " (body::jsonb ->> 'source')::int AS source, (body::jsonb ->> 'unaccounted')::int AS unaccounted"
            " FROM ledger.records WHERE pilot = 'p05' AND kind = 'reconciled' ORDER BY subject, seq DESC) l GROUP BY 1"
        ).fetchall()
    expected = {"rows": 0, "files": 0, "unaccounted_rows": 0, "unaccounted_files": 0}
    for what, source, unaccounted in rows:
        expected |= {what: int(source), f"unaccounted_{what}": int(unaccounted)}
    assert told["compared"] == expected
    assert expected["unaccounted_rows"] == 2
    assert (told["confidence"]["level"], told["confidence"]["why"]) == (1, "unaccounted")


def test_the_burn_up_rises_and_falls_with_the_ledger(busy, house):
    ledger = busy
    states = CutoverState.PLANNED, CutoverState.REHEARSED, CutoverState.FROZEN, CutoverState.SWITCHED
    for expected, to in zip(states, (*states[1:], CutoverState.ROLLED_BACK), strict=True):
        later(house, minutes=1)
        ledger.advance("p02", expected=expected, to=to, body={})
    told = see(ledger, house)
    with house.owner.connect() as sql:
        times = [at.astimezone(UTC).isoformat() for (at,) in sql.execute(
            "SELECT at FROM ledger.records WHERE (kind = 'stage' AND body::jsonb ->> 'stage' = 'live'"
            " AND body::jsonb ->> 'state' = 'passed') OR (kind = 'cutover' AND body::jsonb ->> 'to' = 'ROLLED_BACK')"
            " ORDER BY seq")]  # fmt: skip
        (begun,) = sql.execute("SELECT min(at) FROM ledger.records WHERE kind = 'stage'").fetchone()
    assert [(point["at"], point["live"]) for point in told["burn_up"]] == [
        (begun.astimezone(UTC).isoformat(), 0), (times[0], 1), (times[1], 0),
    ]  # fmt: skip
    back = lane(told, "p02")
    assert (told["counts"]["live"], back["state"], back["confidence"]["why"]) == (0, "rolled_back", "rolled_back")
    assert back["lead"] is None


def test_the_fold_from_the_last_record_is_the_fold_from_nothing(busy, house):
    """Whatever the places at which somebody looked in between."""
    records = busy.records()
    whole = Programme()
    for record in busy.records(kind=KINDS):
        whole.take(record)
    assert whole.pilots.keys() == {"p02", "p05", "p09"}
    for seed in range(20):
        chance = random.Random(seed)
        mine = Reading(_Upto(busy, records, chance))
        while True:
            with mine.current() as programme:
                if programme.seq == whole.seq:
                    break
        assert programme == whole
        assert see(busy, house, reading=mine) == see(busy, house)


class _Upto:
    """The same ledger, as it was at rising numbers: what was appended since is not there yet."""

    def __init__(self, ledger, records, chance):
        self._ledger, self._last, self._chance, self._upto = ledger, records[-1].seq, chance, 0

    def records(self, *, kind, after, limit):
        self._upto = min(self._upto + self._chance.randint(0, 9), self._last)
        found = self._ledger.records(kind=kind, after=after, limit=limit)
        return [record for record in found if record.seq <= self._upto]


def test_only_what_is_new_is_read(busy, house):
    reading = Reading(busy)
    before = see(busy, house, reading=reading)
    asked = []

    class Counting:
        def records(self, **how):
            asked.append(found := busy.records(**how))
            return found

    reading._ledger = Counting()
    tell(busy, "p09", RunBegan(True, True, "platform", P09.digest()), "r10")
    after = see(busy, house, reading=reading)
    assert [record.pilot for page in asked for record in page] == ["p09"]
    assert after["ledger"]["record"] > before["ledger"]["record"]


# ---- lanes ---------------------------------------------------------------------------------------------------------


def test_worst_first(busy, house):
    assert [one["id"] for one in see(busy, house)["lanes"]] == ["p05", "p02", "p09"]
    progress.enter(busy, "p09", "intake", run="r10")  # asked anew
    troubles.tell_trouble(busy, "p09", "assess", -1, {"th": "ก", "en": "broken"}, "ask", run="r10")
    assert [one["id"] for one in see(busy, house)["lanes"]] == ["p09", "p05", "p02"]


def test_the_document_of_an_empty_ledger(ledger, house):
    told = see(ledger, house, sandbox=True)
    assert told["counts"]["identified"] == 3 and sum(told["counts"].values()) == 3
    assert told["burn_up"] == [] and told["lead"] is None and told["sandbox"] is True
    assert {one["move"]["owner"] for one in told["lanes"]} == {"platform"}
    assert {one["confidence"]["level"] for one in told["lanes"]} == {None}


@pytest.mark.parametrize(
    ("gate", "check", "answer", "owner"),
    [
        ("account_made", "account.active", Answer.UNKNOWN, "aws"),
        ("account_made", "account.active", Answer.FAIL, "operator"),
        ("restored", "drill.registry", Answer.UNKNOWN, "aws"),
        ("intake", "request.government_cloud", Answer.FAIL, "agency"),
        ("intake", "source.registry", Answer.UNKNOWN, "agency"),
        ("window", "cutover.window", Answer.UNKNOWN, "time"),
        ("soak", "soaked", Answer.UNKNOWN, "time"),
        ("soak", "health", Answer.UNKNOWN, "programme"),
        ("validation", "golden.registry", Answer.FAIL, "agency"),
        ("migration", "loaded.registry", Answer.FAIL, "operator"),
    ],
)
def test_whose_move_a_check_is(ledger, house, gate, check, answer, owner):
    progress.enter(ledger, "p02", "account")
    look(ledger, house, "p02", gate, (check, answer), ("other", Answer.PASS))
    told = lane(see(ledger, house), "p02")
    assert (told["move"]["owner"], [wait["name"] for wait in told["waits"]]) == (owner, [f"{gate}/{check}"])
    assert told["waits"][0]["text"] == "there is no evidence yet"


def test_people_are_named_and_a_person_comes_before_a_machine(busy, house):
    look(busy, house, "p05", "window", ("cutover.window", Answer.UNKNOWN))
    told = lane(see(busy, house), "p05")
    assert told["move"]["people"] == ["approver1", "approver2"]
    assert [wait["owner"] for wait in told["waits"]] == ["approver", "time"]
    approvals.record(busy, "p05", "d", "approver1", "reject", automated=False, ordinal=1, requester="x", run="r1")
    told = lane(see(busy, house), "p05")
    assert (told["confidence"]["level"], told["confidence"]["why"]) == (2, "rejected")


def test_a_trouble_stays_until_it_is_mended_whatever_else_goes_on(ledger, house):
    progress.enter(ledger, "p02", "migration", run="r1")
    troubles.tell_trouble(ledger, "p02", "copy", 1, {"th": "ล็อก", "en": "locked"}, "ask", run="r1")
    move(ledger, P02, "rehearsal-1", 20)
    troubles.mend(ledger, "p02", "copy", 0, run="r1")  # another unit of the same task
    told = lane(see(ledger, house), "p02")
    assert (told["move"]["owner"], told["waits"][0]["text"], told["confidence"]["why"]) == (
        "operator", "locked", "trouble",
    )  # fmt: skip
    progress.failed(ledger, "p02", "migration", run="r1")
    assert lane(see(ledger, house), "p02")["waits"][0]["text"] == "locked"
    progress.enter(ledger, "p02", "migration", run="r1")
    troubles.mend(ledger, "p02", "copy", 1, run="r1")
    troubles.mend(ledger, "p02", "copy", 1, run="r1")
    assert len(ledger.records(kind="mended")) == 1
    assert lane(see(ledger, house), "p02")["move"]["owner"] == "programme"


def test_what_is_retried_is_nobodys_move_until_it_was_retried_enough(ledger, house):
    progress.enter(ledger, "p02", "migration", run="r1")
    owners = []
    for _ in range(4):
        troubles.tell_trouble(ledger, "p02", "copy", -1, {"th": "ช้า", "en": "slow"}, "retry", run="r1")
        owners.append(lane(see(ledger, house), "p02")["move"]["owner"])
    assert owners == ["programme", "programme", "programme", "operator"]


def test_a_gate_that_ran_into_its_deadline_has_failed(ledger, house):
    progress.enter(ledger, "p02", "account", run="r1")
    verdict = gates.evaluate({"account.active": lambda: Observation(
        "a", Answer.UNKNOWN, None, None, house.clock.now, "gates.no_evidence")}, house.clock)  # fmt: skip
    gates.observe(ledger, "p02", "account_made", verdict, final=True, run="r1")
    assert lane(see(ledger, house), "p02")["move"]["owner"] == "operator"


def test_confidence_sinks_with_time_and_rises_with_a_rehearsal(ledger, house):
    def level():
        told = lane(see(ledger, house), "p02")["confidence"]
        return told["level"], told["why"]

    progress.enter(ledger, "p02", "migration", run="r1")
    assert level() == (4, "not_rehearsed")
    tell(ledger, "p02", Rehearsal(10, 2, 30, True))
    assert level() == (5, "on_track")
    later(house, minutes=11)  # p02 is compressed: ten minutes are expected
    assert level() == (4, "overdue")
    later(house, minutes=10)
    assert level() == (3, "far_overdue")
    tell(ledger, "p02", Rehearsal(1000, 2, 30, False))
    assert level() == (1, "rehearsal_too_long")


# ---- who may see what ----------------------------------------------------------------------------------------------


def test_an_agency_sees_its_own_and_nothing_of_the_others(busy, house):
    own = see(busy, house, reader=Reader({"p05"}, task_reasons=False), language="th")
    assert [one["id"] for one in own["lanes"]] == ["p05"]
    assert (own["scope"], own["goal"], own["counts"]["identified"], own["counts"]["live"]) == ("own", 1, 1, 0)
    assert own["ledger"] is None and own["lead"] is None
    text = json.dumps(own, ensure_ascii=False)
    for other in (P02, P09):
        for word in (other.id, other.name.th, other.name.en, other.agency.name.th, other.request.number):
            assert word not in text
    assert see(busy, house, reader=Reader((), task_reasons=False))["lanes"] == []


def test_the_reason_of_a_task_is_for_those_who_may_read_its_log(ledger, house):
    progress.enter(ledger, "p02", "migration", run="r1")
    troubles.tell_trouble(ledger, "p02", "copy", -1, {"th": "Key (id)=(7)", "en": "Key (id)=(7)"}, "stop", run="r1")
    assert "Key (id)=(7)" in json.dumps(see(ledger, house))
    told = see(ledger, house, reader=Reader(None, task_reasons=False))
    assert "Key (id)" not in json.dumps(told)
    assert lane(told, "p02")["waits"][0]["text"].startswith("A task failed")


def test_a_pilot_whose_manifest_is_gone_is_told_from_the_ledger(busy, house):
    told = lane(see(busy, house, manifests=(P05,)), "p02")
    assert (told["name"], told["agency"], told["fictional"]) == (P02.name.en, P02.agency.name.en, True)
    assert told["request"]["number"] == P02.request.number


def test_what_is_read_adds_up(ledger, house):
    """0.7 s waited and 0.68 s worked of 1.38 s: rounded each by itself, one and one would be one."""
    progress.enter(ledger, "p02", "account")
    look(ledger, house, "p02", "account_made", ("account.active", Answer.UNKNOWN))
    later(house, milliseconds=700)
    look(ledger, house, "p02", "account_made", ("account.active", Answer.PASS))
    later(house, milliseconds=680)
    progress.passed(ledger, "p02", "account")
    span = lane(see(ledger, house), "p02")["spans"][1]
    assert span["waited_s"] == pytest.approx(0.7, abs=0.02) and span["length_s"] == pytest.approx(1.38, abs=0.03)
    assert (span["length_text"], span["waited_text"], span["worked_text"]) == ("1 s", "1 s", "0 s")


@pytest.mark.parametrize(("language", "received"), [("th", "5 ต.ค. 2569"), ("en", "5 Oct 2026")])
def test_both_languages_and_both_eras(busy, house, language, received):
    told = see(busy, house, language=language)
    assert lane(told, "p02")["name"] == getattr(P02.name, language)
    assert lane(told, "p02")["request"]["received_text"] == received
    assert str(house.clock.now.year + (543 if language == "th" else 0)) in told["at_text"]
