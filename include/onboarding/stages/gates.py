"""The gates of a journey: which questions each asks the world, and what follows from the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from onboarding import account_gate, backups, evidence, gates, policy, regions, targets, traffic
from onboarding.access_observed import observe_revoked
from onboarding.baseline import key
from onboarding.cutover.state import CutoverState
from onboarding.cutover.window import observe_window
from onboarding.databases import assess, deadline, freeze, service
from onboarding.databases import status as engine_status
from onboarding.evidence_kinds import Freeze, MovedFiles, MovedRows, Refused, Rehearsal, Release, Stage
from onboarding.gates import Check, Gate, Verdict, observation_from
from onboarding.manifest import DatabaseWorkload
from onboarding.observations import Answer, Observation, judged
from onboarding.programme import progress
from onboarding.readiness import Finding, apply_waivers
from onboarding.selection.standing import observe_chosen
from onboarding.stages import account, drill, following, frozen, naming, naming_by_hand, sides, validation
from onboarding.stages.cutover import PROVEN_AT
from onboarding.stages.loads import REHEARSAL, load_name
from onboarding.stages.pilot import Pilot
from onboarding.stages.uploading import bucket
from onboarding.thai_calendar import BANGKOK

Checks = Mapping[str, Check]

SOON, LATER = timedelta(seconds=2), timedelta(seconds=10)

Questions = Callable[[Pilot], Checks]

_ASKED: dict[str, tuple[Gate, Questions, Stage | None]] = {}


def _gate(
    name: str, *, deadline: timedelta, poll: timedelta = SOON, closes: Stage | None = None
) -> Callable[[Questions], Questions]:
    """Registers a function that gives a gate's questions; `closes` is the stage that ends when it opens."""

    def register(questions: Questions) -> Questions:
        described = Gate(name, deadline, poll, (questions.__doc__ or "").strip())
        _ASKED[name] = (described, questions, closes)
        return questions

    return register


def ask(pilot: Pilot, name: str, *, last: bool = False) -> Verdict:
    """One look at the world for one gate. An answer that settles it ends its stage and is anchored outside."""
    _, questions, closes = _ASKED[name]
    verdict = gates.evaluate(questions(pilot), pilot.clock)
    final = last or verdict.answer is not Answer.UNKNOWN
    gates.observe(pilot.ledger, pilot.id, name, verdict, final=final, run=pilot.run)
    if final:
        _settle(pilot, verdict, closes)
    return verdict


def _settle(pilot: Pilot, verdict: Verdict, closes: Stage | None) -> None:
    if closes is not None and verdict.answer is Answer.PASS:
        progress.passed(pilot.ledger, pilot.id, closes, run=pilot.run)
        following = progress.STAGES[progress.STAGES.index(closes) + 1]
        progress.enter(pilot.ledger, pilot.id, following, run=pilot.run)
    elif closes is not None:
        progress.failed(pilot.ledger, pilot.id, closes, run=pilot.run)
        stopped = [seen for seen in verdict.observations if seen.check == "policy.classification"]
        if any(seen.answer is Answer.FAIL for seen in stopped):
            refused = Refused(closes, f"policy {policy.load_policy().version}", str(stopped[0].observed))
            pilot.record(*refused.as_record())
    if closes is not None:
        s3 = pilot.management.client("s3")
        evidence.anchor(pilot.ledger, s3, pilot.settings.anchor_bucket, retain_days=pilot.settings.retain_days)


@_gate("intake", deadline=timedelta(minutes=10), closes="intake")
def intake(pilot: Pilot) -> Checks:
    """Was this service chosen, may it go to the cloud, did it come by the right way, and is nothing in its way?"""
    now = pilot.clock()
    seen = {one.check: one for one in policy.observe_policy(pilot.manifest, policy.load_policy(), now)}
    checks: dict[str, Check] = {name: partial(_same, one) for name, one in seen.items()}
    checks["programme.chosen"] = lambda: observe_chosen(pilot.ledger, pilot.manifest, pilot.clock())
    checks["request.government_cloud"] = lambda: policy.observe_request(pilot.manifest, pilot.clock())
    checks["readiness"] = lambda: _readiness(pilot)
    for workload in pilot.manifest.databases:
        checks[f"source.{workload.name}"] = partial(_reachable, pilot, workload.name)
    return checks


@_gate("account_made", deadline=timedelta(hours=2))
def account_made(pilot: Pilot) -> Checks:
    """Is the account that was asked for there, and ACTIVE?"""
    return {"account.active": lambda: account.observe_made(pilot)}


@_gate("region_open", deadline=timedelta(hours=24))
def region_open(pilot: Pilot) -> Checks:
    """Is the pilot's region switched on in its account?"""
    inside = account.first(pilot, "us-east-1").client("account")
    return {"account.region": lambda: regions.observe_region(inside, pilot.manifest.region, pilot.clock())}


@_gate("account", deadline=timedelta(hours=1), closes="account")
def account_ready(pilot: Pilot) -> Checks:
    """Is everything the account stage did really there, as AWS tells it now?"""
    checks = account_gate.account_checks(
        pilot.management,
        pilot.manifest,
        pilot.others,
        pilot.settings.email_domain,
        pilot.account_id,
        pilot.external_id,
        lambda: pilot.cloud,
        pilot.clock,
    )
    if not sides.has_switched(pilot):
        return checks
    # The agency's access has ended or is about to. Once it was taken back it has to stay so.
    kept = {name: check for name, check in checks.items() if name != "account.access"}
    if pilot.ledger.latest(pilot.id, "access", "revoked"):
        sso_admin = pilot.management.client("sso-admin")
        kept["account.access_revoked"] = partial(
            _now, pilot, observe_revoked, sso_admin, pilot.manifest, pilot.account_id
        )
    return kept


@_gate("targets_made", deadline=timedelta(hours=2))
def targets_made(pilot: Pilot) -> Checks:
    """Are the database instances available, with their parameters in force, and the buckets closed?"""
    rds = pilot.cloud.client("rds")
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        name = targets.instance_id(pilot.manifest, workload.name)
        checks[f"rds.{workload.name}"] = partial(_now, pilot, targets.observe_instance, rds, name)
    return checks | dict(_buckets(pilot))


@_gate("backed_up", deadline=timedelta(hours=6))
def backed_up(pilot: Pilot) -> Checks:
    """Is the backup complete?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    rds = pilot.cloud.client("rds")
    return {
        f"backup.{w.name}": partial(_now, pilot, backups.observe_snapshot, rds, drill.snapshot_id(pilot, w.name))
        for w in pilot.manifest.databases
    }


@_gate("restored", deadline=timedelta(hours=6))
def restored(pilot: Pilot) -> Checks:
    """Is the instance that the backup was restored to available?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    rds = pilot.cloud.client("rds")
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        if not drill.is_wanted(pilot):
            checks[f"drill.{workload.name}"] = partial(_drilled, pilot, workload.name)
        else:
            name = drill.drill_id(pilot, workload.name)
            checks[f"drill.{workload.name}"] = partial(_now, pilot, targets.observe_instance, rds, name)
    return checks


@_gate("migration", deadline=timedelta(minutes=10), closes="migration")
def migrated(pilot: Pilot) -> Checks:
    """Did everything that was planned arrive, and did the backup come back?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    checks: dict[str, Check] = dict(_buckets(pilot))
    for workload in pilot.manifest.databases:
        checks[f"loaded.{workload.name}"] = partial(_loaded, pilot, workload.name)
        checks[f"drill.{workload.name}"] = partial(_drilled, pilot, workload.name)
        checks[f"takes.{workload.name}"] = partial(_taken, pilot, workload)
        if pilot.manifest.follows:
            checks[f"ways.{workload.name}"] = partial(_ways_open, pilot, workload.name)
    return checks


@_gate("validation", deadline=timedelta(minutes=10), closes="validation")
def validated(pilot: Pilot) -> Checks:
    """Is the copy the same, are its data as good as before, and does the rehearsed night fit?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    checks: dict[str, Check] = {}
    names = [w.name for w in pilot.manifest.databases] + [w.name for w in pilot.manifest.files]
    for name in names:
        checks |= _recorded(pilot, "reconciled", name, after=_moved(pilot, name), moment=validation.REHEARSED_AT)
    for workload in pilot.manifest.databases:
        checks |= _recorded(pilot, "golden", workload.name, after=_moved(pilot, workload.name))
        if workload.expectations:
            checks |= _recorded(pilot, "expectations", workload.name, after=_moved(pilot, workload.name))
        login = sides.target_service(pilot, workload.name)
        checks[f"closed.{workload.name}"] = partial(service.refuses_writes, login)
    checks["rehearsal"] = lambda: _rehearsed(pilot)
    return checks


@_gate("window", deadline=timedelta(days=60), poll=LATER)
def window(pilot: Pilot) -> Checks:
    """Is the agency's window open, and does the night with its way back still fit into it?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    checks: dict[str, Check] = {
        "cutover.window": lambda: observe_window(pilot.manifest.cutover.window, _needed(pilot), pilot.clock())
    }
    if following.has_begun(pilot) and pilot.ledger.cutover_state(pilot.id) is not CutoverState.FROZEN:
        for workload in pilot.manifest.databases:  # a window may be weeks away: no slot lies unread until then
            checks[f"changed.{workload.name}"] = partial(following.observe_changed, pilot, workload.name)
    return checks


@_gate("near", deadline=timedelta(days=2))
def near(pilot: Pilot) -> Checks:
    """Is the target seconds behind, alike, proven but for little, does the source's disk bear it, an old TTL gone?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:  # drained: nothing flows any more
        return {"frozen": partial(_frozen, pilot)}
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        checks[f"near.{workload.name}"] = partial(following.observe_near, pilot, workload.name)
        checks[f"schema.{workload.name}"] = partial(following.observe_schema, pilot, workload.name)
        checks[f"room.{workload.name}"] = partial(following.observe_room, pilot, workload.name)
        checks[f"changed.{workload.name}"] = partial(following.observe_changed, pilot, workload.name)
    if not naming_by_hand.is_by_hand(pilot):
        checks["ttl"] = lambda: naming.observe_ttl(pilot, pilot.manifest.cutover.traffic.record)
    return checks


@_gate("named", deadline=timedelta(days=1))
def named(pilot: Pilot) -> Checks:
    """Has the agency changed its record, does the target answer by it, and is the source still frozen?"""
    if sides.has_switched(pilot):
        return {"switched": partial(_switched, pilot)}
    return {
        "named": lambda: naming_by_hand.observe(pilot, traffic.TARGET),
        "in_time": lambda: _in_time(pilot),
        "health": lambda: _health(pilot),
    }


@_gate("cutover", deadline=timedelta(minutes=10), closes="cutover")
def switched(pilot: Pilot) -> Checks:
    """Does the name lead to the target alone, does the target answer, and is the source frozen for good?"""
    checks: dict[str, Check] = {"switched": partial(_switched, pilot)}
    began, released = (pilot.ledger.latest(pilot.id, kind, "cutover") for kind in (Freeze.KIND, Release.KIND))
    begun, ended = began.seq if began else 0, released.at if released else None
    for workload in pilot.manifest.databases:
        # Young when the target was released: asked again next year, the proof is still the one that counted.
        checks |= _recorded(pilot, "reconciled", workload.name, after=begun, moment=PROVEN_AT, at=ended)
        login = sides.source_service(pilot, workload.name)
        checks[f"frozen.{workload.name}"] = partial(freeze.observe_frozen, login)
        home = sides.source(pilot, workload.name)
        checks[f"permanent.{workload.name}"] = partial(deadline.observe_permanent, home, workload.service_role)
    checks["traffic"] = lambda: _traffic(pilot, traffic.TARGET)
    checks["health"] = lambda: _health(pilot)
    return checks | _ways_back(pilot)


@_gate("soak", deadline=timedelta(days=60), closes="soak")
def soaked(pilot: Pilot) -> Checks:
    """Has the service answered well on the target for as long as was agreed?"""
    checks: dict[str, Check] = {
        "soaked": lambda: _soaked(pilot),
        "health": lambda: _health(pilot),
        "traffic": lambda: _traffic(pilot, traffic.TARGET),
    }
    return checks | _ways_back(pilot)


@_gate("turned_back", deadline=timedelta(minutes=10))
def turned_back(pilot: Pilot) -> Checks:
    """Does the name lead to the source alone, and does the source answer?"""
    return {
        "rolled_back": lambda: judged(
            "rolled_back", pilot.ledger.cutover_state(pilot.id), CutoverState.ROLLED_BACK, pilot.clock()
        ),
        "traffic": lambda: _traffic(pilot, traffic.SOURCE),
        "health": lambda: _health(pilot),
    }


def _ways_back(pilot: Pilot) -> dict[str, Check]:
    """Of databases that are followed: the source keeps up, so that the way back loses nothing, until it is given up."""
    if not pilot.manifest.follows or pilot.ledger.cutover_state(pilot.id) is CutoverState.CLOSED:
        return {}
    return {f"way_back.{w.name}": partial(following.observe_way_back, pilot, w.name) for w in pilot.manifest.databases}


GATES: Mapping[str, Gate] = {name: described for name, (described, _, _) in _ASKED.items()}


def _same(seen: Observation) -> Observation:
    return seen


def _now(pilot: Pilot, observe: Callable[..., Observation], *about: Any) -> Observation:
    return observe(*about, pilot.clock())


def _readiness(pilot: Pilot) -> Observation:
    found = pilot.ledger.latest(pilot.id, "readiness", "intake")
    young = gates.fresh(found, pilot.manifest.evidence_fresh_for, pilot.clock())
    if found is None or young.answer is not Answer.PASS:
        return young
    critical = [f"{one['id']} {one['where']}" for one in found.body["critical"]]
    return judged("readiness", critical, [], pilot.clock(), why="stages.not_ready", count=len(critical))


def _reachable(pilot: Pilot, workload: str) -> Observation:
    with sides.source(pilot, workload).connect() as connection:
        connection.execute("SELECT 1")
    return judged(f"source.{workload}", "answers", "answers", pilot.clock())


def _buckets(pilot: Pilot) -> Iterator[tuple[str, Check]]:
    key_arn = str(key.key_of_alias(pilot.cloud.client("kms")))
    for files in pilot.manifest.files:
        about = (pilot.cloud.client("s3"), bucket(pilot, files.name), key_arn)
        yield f"bucket.{files.name}", partial(_now, pilot, targets.observe_bucket, *about)


def _switched(pilot: Pilot) -> Observation:
    state = pilot.ledger.cutover_state(pilot.id)
    return judged("switched", state in sides.SWITCHED, True, pilot.clock(), why="stages.not_switched", state=state)


def _in_time(pilot: Pilot) -> Observation:
    """Whether every source is still frozen, within what was agreed. Sees to it that somebody keeps the deadline."""
    frozen.demand(pilot)
    return judged("in_time", "frozen", "frozen", pilot.clock())


def _frozen(pilot: Pilot) -> Observation:
    return judged("frozen", pilot.ledger.cutover_state(pilot.id), CutoverState.FROZEN, pilot.clock())


def _ways_open(pilot: Pilot, workload: str) -> Observation:
    """Whether either server reaches the other and may follow it: really tried."""
    return _none_critical(pilot, "ways", following.assess_ways(pilot, workload))


def _loaded(pilot: Pilot, workload: str) -> Observation:
    load = load_name(pilot, workload, REHEARSAL)
    seen = engine_status.status(sides.target(pilot, workload), load=load)
    finished = pilot.ledger.latest(pilot.id, "load_finished", f"{workload}/{load}") is not None
    return judged(
        f"loaded.{workload}",
        {"parts": seen.parts, "finished": finished},
        {"parts": seen.planned_parts, "finished": True},
        pilot.clock(),
        why="stages.not_loaded",
        done=seen.parts,
        total=seen.planned_parts,
    )


def _taken(pilot: Pilot, workload: DatabaseWorkload) -> Observation:
    """What the real instance offers, asked of itself: the table that intake went by may be old."""
    offered = assess.offers(sides.admin(pilot, workload.name))
    found = assess.assess(
        sides.source(pilot, workload.name), workload.service_role, target=offered, shards=workload.shards
    )
    return _none_critical(pilot, "takes", found)


def _none_critical(pilot: Pilot, check: str, found: list[Finding]) -> Observation:
    today = pilot.clock().astimezone(BANGKOK).date()
    critical = apply_waivers(found, pilot.manifest.waivers, today).critical
    named = [f"{one.id} {one.where}" for one in critical]
    return judged(check, named, [], pilot.clock(), why="stages.not_ready", count=len(named))


def _drilled(pilot: Pilot, workload: str) -> Observation:
    done = pilot.ledger.latest(pilot.id, "restore_drill", workload)
    return gates.fresh(done, pilot.manifest.evidence_fresh_for, pilot.clock(), f"drill.{workload}")


def _recorded(
    pilot: Pilot, kind: str, workload: str, *, after: int, moment: str | None = None, at: datetime | None = None
) -> Checks:
    """The observations that a proof left, as checks, with its age as one more; nothing recorded is unknown.

    A proof older than the record `after` is about something else. `moment` is the one that the proof was made for;
    its age counts until `at`, by default now.
    """
    proofs = pilot.ledger.records(pilot=pilot.id, kind=kind, subject=workload, after=after)
    found = next((one for one in reversed(proofs) if moment is None or one.body["moment"] == moment), None)
    name = f"{kind}.{workload}"
    checks: dict[str, Check] = {
        name: lambda: gates.fresh(found, pilot.manifest.evidence_fresh_for, at or pilot.clock(), name)
    }
    if found is not None:
        body = found.body.get("details") or found.body
        for content in body["observations"]:
            checks[f"{name}.{content['check']}"] = partial(_same, observation_from(content))
    return checks


def _moved(pilot: Pilot, workload: str) -> int:
    """The record of the last unit of this workload that was moved."""
    units = (pilot.ledger.latest(pilot.id, shape.KIND, workload) for shape in (MovedRows, MovedFiles))
    return max((unit.seq for unit in units if unit is not None), default=0)


def _rehearsed(pilot: Pilot) -> Observation:
    found = pilot.ledger.latest(pilot.id, Rehearsal.KIND, "cutover")
    failed = pilot.ledger.latest(pilot.id, "rehearsal_failed", "cutover")
    if failed is not None and (found is None or failed.seq > found.seq):
        said = failed.body
        values = {**said["values"], "where": said["where"]}
        return Observation("rehearsal", Answer.FAIL, said["step"], None, pilot.clock(), said["why"], values)
    young = gates.fresh(found, pilot.manifest.evidence_fresh_for, pilot.clock(), "rehearsal")
    if found is None or young.answer is not Answer.PASS:
        return young
    rehearsal, budget = Rehearsal.of(found), pilot.manifest.cutover.freeze_budget
    values = {"took": rehearsal.cutover_s, "budget": str(budget)}
    return judged("rehearsal", rehearsal.fits, True, pilot.clock(), why="stages.too_long", **values)


def _needed(pilot: Pilot) -> timedelta:
    """What the rehearsal measured, margin included; without one, nothing fits."""
    found = pilot.ledger.latest(pilot.id, Rehearsal.KIND, "cutover")
    return timedelta(seconds=Rehearsal.of(found).window_s) if found else timedelta.max


def _traffic(pilot: Pilot, side: str) -> Observation:
    """Whether the name leads to that side alone."""
    if naming_by_hand.is_by_hand(pilot):
        return naming_by_hand.observe(pilot, side)
    expected = {traffic.SOURCE: 0, traffic.TARGET: 0} | {side: 100}
    name = naming.service_name(pilot, pilot.manifest.cutover.traffic.record)
    weights = traffic.current_weights(pilot.cloud.client("route53", region="us-east-1"), name)
    return judged("traffic", weights, expected, pilot.clock(), why="stages.traffic_elsewhere", record=name.record)


def _health(pilot: Pilot) -> Observation:
    record = pilot.manifest.cutover.traffic.record
    address = pilot.resolve(record)
    naming.probe(pilot, address)
    return judged("health", f"{record} answers", f"{record} answers", pilot.clock())


def _soaked(pilot: Pilot) -> Observation:
    released = pilot.ledger.latest(pilot.id, "release", "cutover")
    now, agreed = pilot.clock(), pilot.manifest.soak
    if released is None or released.body["side"] != "target":
        state = {"state": pilot.ledger.cutover_state(pilot.id)}
        return Observation("soaked", Answer.FAIL, "not released", str(agreed), now, "stages.not_switched", state)
    passed = now - released.at
    answer = Answer.PASS if passed >= agreed else Answer.UNKNOWN
    values = {"passed": str(passed).split(".")[0], "agreed": str(agreed)}
    return Observation("soaked", answer, values["passed"], f">= {agreed}", now, "stages.soaking", values)
