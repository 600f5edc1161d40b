"""Account: the pilot's own AWS account, guarded, switched on in its region, with its baseline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from onboarding import access, accounts, guardrails, regions, units
from onboarding.aws import Cloud
from onboarding.baseline import budget, key, network, public_access_block, recorder, roles, trail
from onboarding.observations import Observation
from onboarding.programme import progress
from onboarding.stages import sides
from onboarding.stages.migration import effects
from onboarding.stages.pilot import Pilot

ACCESS_LASTS = timedelta(hours=12)


def request_account(pilot: Pilot) -> dict[str, str]:
    """Ask for the pilot's account, or adopt the one that is there."""
    progress.enter(pilot.ledger, pilot.id, "account", run=pilot.run)
    requested = accounts.request_account(
        _organizations(pilot),
        pilot.management.client("service-quotas", region="us-east-1"),
        pilot.manifest,
        pilot.settings.email_domain,
        pilot.once,
    )
    pilot.record("account_requested", pilot.id, {"requested": requested})
    return {"requested": requested}


def place_and_guard(pilot: Pilot) -> dict[str, str]:
    """Put the account into its unit under the guardrails, and ask for its region."""
    organizations = _organizations(pilot)
    unit = units.ensure_unit(organizations, pilot.manifest.account.unit, pilot.once)
    policies = guardrails.ensure_policies(organizations, pilot.once)
    guardrails.attach(organizations, unit, policies, pilot.once)
    units.place_account(organizations, pilot.account_id, unit, pilot.once)
    account = first(pilot, "us-east-1").client("account")
    regions.request_region(account, pilot.account_id, pilot.manifest.region, pilot.once)
    return {"account": pilot.account_id, "unit": unit}


def apply_baseline(pilot: Pilot) -> dict[str, str]:
    """Give the account its role, key, trail, recorder, public-access block, budget and network."""
    made, first_cloud = effects(pilot), first(pilot, pilot.manifest.region)
    roles.ensure_onboarding_role(first_cloud.client("iam"), made, pilot.management.account_id(), pilot.external_id)
    client = first_cloud.client
    key_arn = key.ensure_key(client("kms"), made)
    trail.ensure_log_bucket(client("s3"), made, key_arn)
    trail.ensure_trail(client("cloudtrail"), made, key_arn)
    recorder.ensure_recorder(client("config"), client("iam"), made)
    public_access_block.ensure_public_access_block(client("s3control"), made)
    budget.ensure_budget(
        client("budgets", "us-east-1"),
        made,
        pilot.manifest.account.monthly_budget_usd,
        accounts.account_email(pilot.manifest, pilot.settings.email_domain),
    )
    vpc = network.ensure_network(client("ec2"), made, pilot.manifest, pilot.others)
    return {"account": pilot.account_id, "vpc": vpc}


def grant_access(pilot: Pilot) -> dict[str, str]:
    """Let the agency look into its account, for a while; a pilot that has switched is given nothing any more."""
    if sides.has_switched(pilot):
        return {}
    until = access.ensure_time_boxed_access(
        pilot.management.client("sso-admin"),
        pilot.management.client("identitystore"),
        pilot.manifest,
        pilot.account_id,
        pilot.once,
        now=pilot.clock(),
        length=ACCESS_LASTS,
        revoked=_revoked(pilot),
    )
    pilot.record("access", "granted", {"until": until})
    return {"until": until}


def _revoked(pilot: Pilot) -> list[str]:
    """The requests whose access was taken back at the end of earlier journeys, each once."""
    ended = pilot.ledger.records(pilot=pilot.id, kind="access", subject="revoked")
    return list(dict.fromkeys(request for record in ended if (request := str(record.body.get("request", "")))))


def observe_made(pilot: Pilot) -> Observation:
    """Whether the account that was asked for is there and ACTIVE."""
    asked = pilot.ledger.latest(pilot.id, "account_requested", pilot.id)
    requested = str(asked.body["requested"]) if asked else ""
    return accounts.observe_creation(
        _organizations(pilot), requested, pilot.manifest, pilot.settings.email_domain, pilot.clock()
    )


def first(pilot: Pilot, region: str) -> Cloud:
    """The account as its first administrator: only until the onboarding role is there."""
    return accounts.first_cloud(pilot.management, pilot.account_id, region)


def _organizations(pilot: Pilot) -> Any:
    return pilot.management.client("organizations", region="us-east-1")
