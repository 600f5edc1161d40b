"""A service that goes on writing while it is moved: nothing it wrote is lost on the way there, nor on the way back."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from sandbox_process import running
from whole_journey import PEOPLE, agencies, approve, choose_pilots, open_gate

from onboarding.addresses import Database
from onboarding.cutover.runbook import STEPS
from onboarding.cutover.state import CutoverState
from onboarding.databases.deadline import observe_permanent
from onboarding.databases.sessions import session
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.evidence_kinds import Freeze, FreezeMadePermanent
from onboarding.gates import evaluate
from onboarding.ledger import Ledger
from onboarding.observations import Answer
from onboarding.programme import progress
from onboarding.programme.figures import KINDS, Figures, figures
from onboarding.reconcile.changes.watches import close_watch
from onboarding.stages import (
    abandoning,
    cutover,
    decision,
    drill,
    health,
    keeping_up,
    loads,
    migration,
    naming_by_weights,
    no_return,
    pair,
    reading,
    rehearsing,
    sides,
    validation,
    watching,
    way_back,
)
from onboarding.stages import gates as journey_gates
from onboarding.stages.pilot import Pilot

from .conftest import SCALE, World, expire, replicating, travel

PILOT, DATABASE = "p03", "booking"
LOST = "the watch was lost: slot or publication is not what it was"
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


@dataclass
class Clerk:
    """Writes one ticket after the other where the service's name leads, and keeps those that were acknowledged."""

    pilot: Pilot
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    taken: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when to when each acknowledged one took."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._write_on)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(30)
            self._stop.clear()

    def _write_on(self) -> None:
        while not self._stop.wait(0.05):
            self.write(f"ticket {len(self.acknowledged)}")

    def write(self, body: str) -> None:
        """One transaction over two tables, one of them keyed by a sequence."""
        begun = datetime.now(UTC)
        try:
            with self._service().connect() as connection:
                connection.execute("INSERT INTO sms_outbox (booking, body) VALUES (1, %s)", [body])
                connection.execute("UPDATE booking SET state = 'served', updated = now() WHERE id = 1")
        except REFUSED:
            self.refused += 1
            return
        self.acknowledged.append(body)
        self.taken.append((begun, datetime.now(UTC)))

    def _service(self) -> Database:
        record = self.pilot.manifest.cutover.traffic.record
        try:
            address = self.pilot.resolve(record)
        except Exception:  # before the name is ours to lead, the agency's own leads there
            return sides.source_service(self.pilot, DATABASE)
        return sides.source_service(self.pilot, DATABASE).at(address)


def bodies(database: Database) -> list[str]:
    with session(database) as connection:
        rows = connection.execute("SELECT body FROM public.sms_outbox WHERE body LIKE 'ticket%' ORDER BY id").fetchall()
    return [body for (body,) in rows]


def goes_on_writing(clerk: Clerk, within_s: float = 60) -> None:
    """Waits until something more was acknowledged."""
    before, deadline = len(clerk.acknowledged), time.monotonic() + within_s
    while len(clerk.acknowledged) == before:
        assert time.monotonic() < deadline, f"refused {clerk.refused} times"
        time.sleep(0.05)


def counted(pilot: Pilot) -> Figures:
    return figures(pilot.manifest, pilot.ledger.records(pilot=pilot.id, kind=KINDS))


def instances(pilot: Pilot) -> list[str]:
    """Those of the pilot that are there and stay."""
    found = pilot.cloud.client("rds").describe_db_instances()["DBInstances"]
    return [one["DBInstanceIdentifier"] for one in found if one["DBInstanceStatus"] != "deleting"]


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches SIGKILL."""


def in_vain(pilot: Pilot) -> None:
    """A rehearsal whose drain never ends: the gate stays shut and says so, and the stage is gone."""
    hasty = pilot.manifest.cutover.model_copy(update={"freeze_budget": timedelta(seconds=2)})
    hurried = replace(pilot, manifest=pilot.manifest.model_copy(update={"cutover": hasty}))
    restored = sides.drilled(pilot, DATABASE, drill.drill_id(pilot, DATABASE))
    locking = threading.Thread(target=hold_markers, args=(restored,), daemon=True)
    locking.start()
    assert rehearsing.rehearse(hurried) == {}
    locking.join(30)
    seen = evaluate({"rehearsal": journey_gates.validated(pilot)["rehearsal"]}, pilot.clock).observations
    assert [(one.answer, one.observed, one.why) for one in seen] == [("fail", "drain", "follow.not_drained")]
    assert instances(pilot) == ["p03-booking"]


def hold_markers(restored: Database) -> None:
    """From the moment of the freeze on, nothing can be applied on the scratch side."""
    frozen = "SELECT closed_at IS NOT NULL FROM namrong.writes"
    with contextlib.suppress(psycopg.OperationalError), restored.connect(autocommit=True) as looking:
        while looking.execute("SELECT 1 FROM pg_stat_subscription WHERE subname LIKE 'namrong%'").fetchone() is None:
            time.sleep(0.01)
        with replace(restored, name=pair.SCRATCH).connect() as holding:
            while looking.execute(frozen).fetchone() != (True,):
                time.sleep(0.002)
            holding.execute("LOCK TABLE namrong.namrong_rehearsal_to IN SHARE MODE")
            while True:  # until the instance goes
                holding.execute("SELECT 1")
                time.sleep(0.1)


def killed_and_begun_again(pilot: Pilot) -> None:
    """With both feeds armed and the scratch database full; the next attempt finds it all and begins anew."""
    for step in (migration.restore_backup, migration.prove_restore):
        if step is migration.prove_restore:
            open_gate(pilot, "restored")
        step(pilot)
    name = f"rehearsal.{pilot.manifest.cutover.traffic.record}"

    def resolve(asked: str) -> str:
        if asked == name:
            raise Killed
        return pilot.resolve(asked)

    with pytest.raises(Killed):
        rehearsing.rehearse(replace(pilot, resolve=resolve))
    scratch = replace(sides.drilled(pilot, DATABASE, drill.drill_id(pilot, DATABASE)), name=pair.SCRATCH)
    assert replicating(scratch) == (1, 1, 1), "it was killed before anything was there"


@pytest.fixture(scope="module")
def alone(
    make_ledger: Callable[[], tuple[Database, Database, Ledger]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    cloud_home, home = tmp_path_factory.mktemp("cloud"), tmp_path_factory.mktemp("agencies")
    with running(cloud_home) as cloud, agencies(home, cloud, PILOT, SCALE) as told:
        world = World(cloud, told, *make_ledger())
        choose_pilots(world.ledger)
        yield world


@pytest.fixture(scope="module")
def clerk(alone: World) -> Clerk:
    return Clerk(alone.pilot(PILOT))


@pytest.fixture(scope="module")
def live(alone: World, clerk: Clerk) -> Pilot:
    """Live, with somebody writing from before its load until after its switch."""
    pilot = alone.pilot(PILOT)
    travel(pilot, last="gate_targets_made")
    with clerk.at_work():
        travel(pilot, first="upload")
        time.sleep(0.5)
    return pilot


def test_every_acknowledged_write_is_there_once(live: Pilot, clerk: Clerk) -> None:
    assert live.ledger.cutover_state(PILOT) is CutoverState.COMMITTED
    assert counted(live).state == "live"
    assert len(clerk.acknowledged) > 20
    assert bodies(sides.target(live, DATABASE)) == clerk.acknowledged


def test_it_was_proven_while_it_went_on_writing(live: Pilot, clerk: Clerk) -> None:
    found = live.ledger.records(pilot=PILOT, kind="reconciled", subject=DATABASE)
    moments = {record.body["moment"]: record.body for record in found}
    assert {moment: body["unaccounted"] for moment, body in moments.items()} == {"rehearsal": 0, "cutover": 0}
    full = next(record for record in found if record.body["moment"] == "rehearsal" and record.seq == proven_by(moments))
    assert full.body["details"]["watches"]["load"] == "rehearsal-1"
    assert moments["cutover"]["source"] < moments["rehearsal"]["source"] / 10, "only what changed is compared again"


def proven_by(moments: dict[str, Any]) -> int:
    """The record of the full proof on which the one under the freeze stands."""
    return int(moments["cutover"]["details"]["proven_by"])


def test_the_freeze_held_and_was_short(live: Pilot, clerk: Clerk) -> None:
    frozen, released = (live.ledger.latest(PILOT, kind, "cutover") for kind in ("freeze", "release"))
    assert frozen is not None and released is not None
    assert clerk.taken and not [one for one in clerk.taken if frozen.at < one[0] < one[1] < released.at]
    freeze_s = counted(live).freeze_s
    assert freeze_s is not None and 0 < freeze_s < 60


def test_the_whole_night_and_the_way_back_were_rehearsed_step_by_step(live: Pilot) -> None:
    book = live.ledger.latest(PILOT, "runbook", "cutover")
    assert book is not None
    steps = {step["step"]: step for step in book.body["steps"]}
    mine = [step.name for step in STEPS if step.rehearsed and "follow" in step.engines]
    assert list(steps) == mine and all(0 < step["rehearsed_s"] < step["planned_s"] for step in steps.values())
    assert steps["prove"]["seen"]["rows"] > 1000 and steps["prove"]["seen"]["files"] > 0
    assert steps["measure_loss"]["seen"] == {"rows": 0}
    assert set(steps["freeze"]["measured"]) == {"stage", "source"}
    rehearsed = live.ledger.latest(PILOT, "rehearsal", "cutover")
    frozen = sum(step["rehearsed_s"] for step in steps.values() if step["phase"] == "frozen")
    assert rehearsed is not None and rehearsed.body["cutover_s"] == pytest.approx(frozen, abs=0.01)
    assert instances(live) == ["p03-booking"], "the restored backup outlived its rehearsal"


def test_the_runbook_says_what_the_night_really_took(live: Pilot) -> None:
    told = reading.runbook_of(live.ledger, live.manifest)
    assert told is not None
    missing = [row.step.name for row in told.rows if row.actual_s is None and row.step.phase != "back"]
    assert missing == []
    freeze_s, frozen = counted(live).freeze_s, told.totals["frozen"].actual_s
    assert freeze_s is not None and frozen is not None and abs(frozen - freeze_s) < 1
    question = decision.ask(live, decision.CUTOVER, 1, PEOPLE, "platform")
    assert "Arm the way back" in question.body and "/namrong/runbooks/p03" in question.body


def test_readers_moved_before_the_freeze(live: Pilot) -> None:
    frozen = live.ledger.latest(PILOT, "freeze", "cutover")
    reads = live.manifest.cutover.traffic.reads
    led = live.ledger.records(pilot=PILOT, kind="traffic", subject=reads)
    assert frozen is not None and [record.body["percent"] for record in led] == [0, 10, 50, 100]
    assert all(record.seq < frozen.seq for record in led)


def test_its_page_must_answer_besides_its_database(live: Pilot) -> None:
    """The front end of the boards has an address of its own; one under the name that is led has the side's."""
    address = live.resolve(live.manifest.cutover.traffic.record)
    health.probe(live, address)
    page = str(live.manifest.cutover.traffic.health_url)
    with pytest.raises(Stop, match="HTTP 404"):
        health.probe(with_page(live, page + "/elsewhere"), address)
    led = page.replace("www.p03.agency.example", str(live.manifest.cutover.traffic.reads))
    health.probe(with_page(live, led), live.resolve("www.p03.agency.example"))
    with pytest.raises(TryAgain, match=re.escape(f"asked at {address}")):
        health.probe(with_page(live, led), address)


def with_page(pilot: Pilot, url: str) -> Pilot:
    moves = pilot.manifest.cutover.traffic.model_copy(update={"health_url": url})
    cutover = pilot.manifest.cutover.model_copy(update={"traffic": moves})
    return replace(pilot, manifest=pilot.manifest.model_copy(update={"cutover": cutover}))


def test_the_writers_name_moved_in_one_step_after_its_old_ttl_was_forgotten(live: Pilot) -> None:
    record = live.manifest.cutover.traffic.record
    led = live.ledger.records(pilot=PILOT, kind="traffic", subject=record)
    assert [step.body["percent"] for step in led] == [100]
    assert naming_by_weights.observe_ttl(live, record).answer == "pass"
    slow = live.ledger.record(PILOT, "name_prepared", "slow.p03.pilots.example", {"ttl_was": 3600, "ttl": 1})
    waits = naming_by_weights.observe_ttl(live, slow.subject)
    assert (waits.answer, waits.why) == ("unknown", "cutover.old_ttl")


def test_the_old_side_follows_the_new_one(live: Pilot, clerk: Clerk) -> None:
    clerk.write("ticket after the night")
    assert keeping_up.observe_way_back(live, DATABASE).answer == "pass"
    assert bodies(sides.source(live, DATABASE)) == clerk.acknowledged
    assert replicating(sides.source(live, DATABASE)) == (0, 0, 1), "forward is closed, the way back is open"
    assert replicating(sides.target(live, DATABASE)) == (1, 1, 0)


def test_nothing_is_reported_unaccounted_while_it_writes(alone: World, live: Pilot) -> None:
    assert validation.compare(live, "report")[DATABASE] == 0


def test_the_way_back_is_not_given_up_without_two_approvals_of_exactly_that(alone: World, live: Pilot) -> None:
    pilot = alone.pilot(PILOT, "close")
    assert no_return.describe(pilot)["followed"] == [DATABASE]
    with pytest.raises(Stop) as stopped:
        no_return.give_up_way_back(pilot)
    assert stopped.value.key == "approvals.too_few"
    question = decision.ask(pilot, decision.NO_RETURN, 1, PEOPLE, "platform")
    assert f"still follows | {DATABASE} |" in question.body
    assert pilot.ledger.cutover_state(PILOT) is CutoverState.COMMITTED


def test_a_way_back_that_is_not_taken_goes_on_following(alone: World, live: Pilot, clerk: Clerk) -> None:
    pilot = alone.pilot(PILOT, "looked back")
    way_back.close_target(pilot)
    assert way_back.measure_loss(pilot) == {"tables": 0, "rows": 0}
    way_back.stay(pilot)
    clerk.write("ticket after all")
    assert keeping_up.observe_way_back(pilot, DATABASE).answer == "pass"
    assert bodies(sides.source(pilot, DATABASE)) == clerk.acknowledged


def test_what_has_switched_is_not_abandoned(alone: World, live: Pilot) -> None:
    pilot = alone.pilot(PILOT, "abandoned")
    with pytest.raises(Stop) as stopped:
        abandoning.abandon(pilot, "too late")
    assert stopped.value.key == "abandoning.switched" and "roll_back_p03" in str(stopped.value)
    for step in (abandoning.free_agency, abandoning.take_back):
        with pytest.raises(Stop) as stopped:
            step(pilot)
        assert stopped.value.key == "abandoning.not_abandoned"
    assert counted(pilot).state == "live"


def test_the_way_back_loses_nothing_and_leaves_nothing(alone: World, live: Pilot, clerk: Clerk) -> None:
    pilot = alone.pilot(PILOT, "back")
    with clerk.at_work():
        time.sleep(0.5)
        for _ in range(2):  # a cleared task
            way_back.close_target(pilot)
        assert way_back.measure_loss(pilot) == {"tables": 0, "rows": 0}
        with pytest.raises(Stop) as stopped:
            way_back.turn_back(pilot)
        assert stopped.value.key == "approvals.too_few"
        approve(pilot, decision.WAY_BACK)
        for _ in range(2):
            way_back.turn_back(pilot)
        open_gate(pilot, "turned_back")
        goes_on_writing(clerk)
    assert pilot.ledger.cutover_state(PILOT) is CutoverState.ROLLED_BACK
    assert bodies(sides.source(pilot, DATABASE)) == clerk.acknowledged
    assert clerk.acknowledged[-1] not in bodies(sides.target(pilot, DATABASE)), (
        "written after the way back, on one side"
    )
    assert replicating(sides.source(pilot, DATABASE)) == (0, 0, 0)
    assert replicating(sides.target(pilot, DATABASE)) == (0, 0, 0)


def kept_near_while_people_decide(pilot: Pilot) -> None:
    """What the clerk writes meanwhile is proven as it comes: it does not wait in the source's log for an answer."""
    for _ in range(2):
        seen = journey_gates.ask(pilot, "deciding")
        answers = {one.check: one.answer for one in seen.observations}
        assert seen.answer is answers.pop("decided") is Answer.UNKNOWN
        assert answers == {f"room.{DATABASE}": Answer.PASS, f"changed.{DATABASE}": Answer.PASS}


def test_a_second_night_begins_anew_and_left_alone_under_its_freeze_it_ends_by_itself_at_home(
    alone: World, live: Pilot, clerk: Clerk
) -> None:
    pilot = alone.pilot(PILOT, "again")
    with clerk.at_work():
        travel(pilot, last="load_rehearsal")
        before = loads.load_name(pilot, DATABASE, loads.REHEARSAL)
        progress.failed(pilot.ledger, PILOT, "validation")  # and so the snapshot goes, with the load unproven
        while validation.moment_of_load(pilot, DATABASE):
            time.sleep(0.1)
        travel(pilot, first="load_rehearsal", last="ask_golden_queries")
        in_vain(pilot)
        killed_and_begun_again(pilot)
        travel(pilot, first="rehearse", last="gate_window")
        kept_near_while_people_decide(pilot)
        travel(pilot, first="approve", last="ramp_reads")
        assert loads.load_name(pilot, DATABASE, loads.REHEARSAL) == f"{before}-again1"
        close_watch(watching.watches(pilot, DATABASE, f"{before}-again1").source)  # as by whoever frees a full disk
        assert keeping_up.observe_changed(pilot, DATABASE).observed == {"all_under_the_freeze": LOST}
        for step in (cutover.freeze, cutover.drain, cutover.prove, cutover.arm_way_back):
            step(pilot)
        proof = pilot.ledger.latest(PILOT, "reconciled", DATABASE)
        assert proof is not None and proof.body["details"]["everything_because"] == LOST
        assert proof.body["source"] > 1_000, "not everything was compared"
        home = sides.source(pilot, DATABASE)
        assert observe_permanent(home, pilot.services[DATABASE].user).answer is Answer.FAIL
        expire(home)  # everybody of ours is dead; the agreed time passes
        goes_on_writing(clerk)
        for step in (cutover.switch_over, cutover.freeze, cutover.shift_traffic, cutover.release):
            with pytest.raises(Stop) as stopped:
                step(pilot)
            assert stopped.value.key == "databases.freeze_expired"
        cutover.stand_down(pilot)
        time.sleep(0.5)
    assert pilot.ledger.cutover_state(PILOT) is CutoverState.ROLLED_BACK
    assert bodies(sides.source(pilot, DATABASE)) == clerk.acknowledged
    assert replicating(sides.source(pilot, DATABASE)) == (0, 0, 0)
    assert replicating(sides.target(pilot, DATABASE)) == (0, 0, 0)
    expired, released = (pilot.ledger.latest(PILOT, kind) for kind in ("freeze_expired", "release"))
    assert expired is not None and released is not None
    assert released.body == {"released_at": expired.body["expired_at"], "side": "source"}


def test_the_evidence_tells_until_when_it_was_frozen_and_when_the_switch_was_committed(live: Pilot) -> None:
    frozen, permanent, released = (
        live.ledger.records(pilot=PILOT, kind=kind)[0] for kind in ("freeze", "freeze_made_permanent", "release")
    )
    budget = live.manifest.cutover.freeze_budget
    told, made = Freeze.of(frozen), FreezeMadePermanent.of(permanent)
    assert told.deadline_at == told.refused_at + budget == made.deadline_at
    assert frozen.seq < permanent.seq < released.seq and made.permanent_at < told.deadline_at


def given_up(pilot: Pilot, reason: str) -> None:
    """As the DAG does it, each task once more besides."""
    for step in (partial(abandoning.abandon, reason=reason), abandoning.free_agency, abandoning.take_back):
        for _ in range(2):
            step(pilot)


def test_given_up_before_its_approvals_it_leaves_nothing_at_the_agency(alone: World, live: Pilot, clerk: Clerk) -> None:
    pilot, ending = alone.pilot(PILOT, "third"), alone.pilot(PILOT, "third is given up")
    with clerk.at_work():
        travel(pilot, last="prove_restore")
        assert replicating(sides.source(pilot, DATABASE)) == (2, 2, 0), "a slot to follow by, and the watch"
        assert instances(pilot) != ["p03-booking"], "no restored backup to rehearse on"
        with pytest.raises(Stop) as stopped:
            abandoning.free_agency(ending)
        assert stopped.value.key == "abandoning.not_abandoned"
        with pytest.raises(Stop) as stopped:
            abandoning.abandon(ending, "  ")
        assert stopped.value.key == "abandoning.no_reason"
        given_up(ending, "its table cannot be followed")
        goes_on_writing(clerk)
    for side in (sides.source, sides.target):
        assert replicating(side(pilot, DATABASE)) == (0, 0, 0)
    assert instances(pilot) == ["p03-booking"]
    told = pilot.ledger.records(pilot=PILOT, kind="refused")
    assert [dict(one.body) for one in told] == [
        {"stage": "migration", "by": "platform", "reason": "its table cannot be followed"}
    ]
    assert counted(pilot).state == "refused" and pilot.ledger.cutover_state(PILOT) is CutoverState.PLANNED
    assert pilot.ledger.records(pilot=PILOT, kind="access")[-1].subject == "revoked"
    assert bodies(sides.source(pilot, DATABASE)) == clerk.acknowledged


def test_a_target_that_somebody_removed_first_keeps_no_slot_at_the_agency(alone: World, live: Pilot) -> None:
    """Begun anew, as any pilot that was given up. What nobody in the ledger knows of is named, not passed over."""
    pilot, ending = alone.pilot(PILOT, "fourth"), alone.pilot(PILOT, "fourth is given up")
    travel(pilot, last="begin_following")
    assert counted(pilot).state == "cutover"
    home = sides.source(pilot, DATABASE)
    assert replicating(home) == (2, 2, 1)
    rds, instance = pilot.cloud.client("rds"), f"{PILOT}-{DATABASE}"
    rds.modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    deadline = time.monotonic() + 60
    while not sides.target_is_gone(pilot, DATABASE):
        assert time.monotonic() < deadline, "the instance does not go"
        time.sleep(0.1)
    abandoning.abandon(ending, "the account is closed")
    with session(home, autocommit=True) as connection:
        strange = f"{watching.beginning(pilot, DATABASE)}00000000_to"
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [strange])
        with pytest.raises(AskPerson, match=f"slot {strange}"):
            abandoning.free_agency(ending)
        connection.execute("SELECT pg_drop_replication_slot(%s)", [strange])
    abandoning.free_agency(ending)
    assert replicating(home) == (0, 0, 0)
    assert (counted(pilot).state, pilot.ledger.cutover_state(PILOT)) == ("refused", CutoverState.PLANNED)
