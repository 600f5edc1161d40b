"""The gates before anything is moved: the service may come, and its account stands ready."""

from __future__ import annotations

from functools import partial

from onboarding import account_gate, gates, policy, regions
from onboarding.access_observed import observe_revoked
from onboarding.files.sources import at
from onboarding.gates import Check
from onboarding.observations import Answer, Observation, judged
from onboarding.selection.standing import observe_chosen
from onboarding.stages import account, sides
from onboarding.stages.gates.questions import Checks, as_of_now, as_seen
from onboarding.stages.pilot import Pilot


def intake(pilot: Pilot) -> Checks:
    """Was this service chosen, may it go to the cloud, did it come by the right way, and is nothing in its way?"""
    now = pilot.clock()
    seen = {one.check: one for one in policy.observe_policy(pilot.manifest, policy.load_policy(), now)}
    checks: dict[str, Check] = {name: partial(as_seen, one) for name, one in seen.items()}
    checks["programme.chosen"] = lambda: observe_chosen(pilot.ledger, pilot.manifest, pilot.clock())
    checks["request.government_cloud"] = lambda: policy.observe_request(pilot.manifest, pilot.clock())
    checks["readiness"] = lambda: _readiness(pilot)
    for workload in pilot.manifest.databases:
        checks[f"source.{workload.name}"] = partial(_reachable, pilot, workload.name)
    for folder in pilot.manifest.files:
        checks[f"source.{folder.name}"] = partial(_shown, pilot, folder.name)
    return checks


def account_made(pilot: Pilot) -> Checks:
    """Is the account that was asked for there, and ACTIVE?"""
    return {"account.active": lambda: account.observe_made(pilot)}


def region_open(pilot: Pilot) -> Checks:
    """Is the pilot's region switched on in its account?"""
    inside = account.first(pilot, "us-east-1").client("account")
    return {"account.region": lambda: regions.observe_region(inside, pilot.manifest.region, pilot.clock())}


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
            as_of_now, pilot, observe_revoked, sso_admin, pilot.manifest, pilot.account_id
        )
    return kept


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


def _shown(pilot: Pilot, folder: str) -> Observation:
    """Whatever place the files are at shows something, or that it holds nothing."""
    with at(pilot.folders[folder]) as source:
        next(iter(source.entries()), None)
    return judged(f"source.{folder}", "answers", "answers", pilot.clock())
