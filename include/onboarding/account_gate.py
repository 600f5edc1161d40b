"""The account gate: everything the account stage made, read again from the APIs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from onboarding.access_observed import observe_access
from onboarding.account_register import find_account, state_of
from onboarding.aws import Cloud
from onboarding.aws_errors import explaining
from onboarding.baseline.budget import observe_budget
from onboarding.baseline.key import observe_key
from onboarding.baseline.network import observe_network
from onboarding.baseline.public_access_block import observe_public_access_block
from onboarding.baseline.recorder import observe_recorder
from onboarding.baseline.roles import observe_assumable, observe_guarded
from onboarding.baseline.trail import observe_trail
from onboarding.guardrails import observe_guardrails
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation
from onboarding.regions import observe_region
from onboarding.units import observe_unit

Check = Callable[[], Observation]


@explaining("organizations")
def observe_state(management: Cloud, manifest: Manifest, domain: str, now: datetime) -> Observation:
    """Pass when the account of the pilot's e-mail is ACTIVE."""
    found = find_account(management.client("organizations"), manifest, domain)
    state = "absent" if found is None else state_of(found)
    answers = {"ACTIVE": Answer.PASS, "PENDING_ACTIVATION": Answer.UNKNOWN}
    values = {"account": found["Id"] if found else "-", "state": state}
    answer = answers.get(state, Answer.FAIL)
    return Observation("account.active", answer, state, "ACTIVE", now, "accounts.state", values)


def account_checks(
    management: Cloud,
    manifest: Manifest,
    others: Iterable[Manifest],
    domain: str,
    account_id: str,
    external_id: str,
    cloud: Callable[[], Cloud],
    clock: Callable[[], datetime],
) -> Mapping[str, Check]:
    """The checks of the gate by name. `cloud` opens the pilot's account: as late as possible, since it may not let us.

    Nothing here trusts what the stage's tasks returned.
    """
    organizations = partial(management.client, "organizations")
    budget = manifest.account.monthly_budget_usd
    rest = tuple(others)
    return {
        "account.active": lambda: observe_state(management, manifest, domain, clock()),
        "account.unit": lambda: observe_unit(organizations(), account_id, manifest.account.unit, clock()),
        "account.guardrails": lambda: observe_guardrails(organizations(), account_id, clock()),
        "account.role.assumable": lambda: observe_assumable(management, account_id, external_id, clock()),
        "account.role.guarded": lambda: observe_guarded(management, account_id, clock()),
        "account.region": lambda: observe_region(cloud().client("account"), manifest.region, clock()),
        "account.trail": lambda: observe_trail(cloud().client("cloudtrail"), account_id, clock()),
        "account.recorder": lambda: observe_recorder(cloud().client("config"), clock()),
        "account.key": lambda: observe_key(cloud().client("kms"), clock()),
        "account.public_access_block": lambda: observe_public_access_block(
            cloud().client("s3control"), account_id, clock()
        ),
        "account.budget": lambda: observe_budget(cloud().client("budgets"), account_id, budget, clock()),
        "account.network": lambda: observe_network(cloud().client("ec2"), manifest, rest, clock()),
        "account.access": lambda: observe_access(management.client("sso-admin"), manifest, account_id, clock()),
    }


def observe_account(checks: Mapping[str, Check]) -> list[Observation]:
    """All of it, one observation per check; failures of AWS come out as errors."""
    return [check() for check in checks.values()]
