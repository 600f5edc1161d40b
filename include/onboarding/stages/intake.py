"""Intake: what came in, by which way, and what stands in its way."""

from __future__ import annotations

from onboarding import evidence, targets
from onboarding.databases import assess as databases_assess
from onboarding.evidence_kinds import RunBegan
from onboarding.files import scan
from onboarding.policy import load_policy, rds_offers
from onboarding.programme import progress
from onboarding.readiness import Finding, apply_waivers
from onboarding.stages import following, sides
from onboarding.stages.pilot import Pilot
from onboarding.thai_calendar import BANGKOK


def receive(pilot: Pilot) -> dict[str, str]:
    """Write down what was asked for, by whom, through which government-cloud request."""
    manifest, settings = pilot.manifest, pilot.settings
    evidence.ensure_anchor_bucket(
        pilot.management.client("s3"),
        settings.anchor_bucket,
        manifest.region,
        once=pilot.once,
        retain_days=settings.retain_days,
    )
    began = RunBegan(settings.sandbox, manifest.compressed, pilot.requester, manifest.digest())
    pilot.record(*began.as_record())
    progress.enter(pilot.ledger, pilot.id, "intake", run=pilot.run)
    request = manifest.request.model_dump(mode="json") if manifest.request else None
    pilot.record("manifest", manifest.id, {"manifest": manifest.model_dump(mode="json", by_alias=True)})
    pilot.record("request", manifest.id, {"request": request, "policy": load_policy().version})
    return {"digest": manifest.digest()}


def assess(pilot: Pilot) -> dict[str, int]:
    """Look for what would go wrong: every finding with its severity and remedy."""
    found: list[Finding] = []
    version, _ = targets.newest_version(pilot.management.client("rds"))
    offers = rds_offers(int(version.split(".")[0]))
    for workload in pilot.manifest.databases:
        found += databases_assess.assess(
            sides.source(pilot, workload.name), workload.service_role, target=offers, shards=workload.shards
        )
        if pilot.manifest.follows:
            found += following.assess(pilot, workload.name)
    for folder in pilot.manifest.files:
        found += scan.assess(pilot.folders[folder.name])
    today = pilot.clock().astimezone(BANGKOK).date()
    readiness = apply_waivers(found, pilot.manifest.waivers, today)
    pilot.record(
        "readiness",
        "intake",
        {
            "open": [finding.as_json() for finding in readiness.open],
            "critical": [finding.as_json() for finding in readiness.critical],
            "waived": [
                {"finding": one.finding.as_json(), "by": one.waiver.by, "expires": one.waiver.expires.isoformat()}
                for one in readiness.waived
            ],
        },
    )
    return {"open": len(readiness.open), "critical": len(readiness.critical), "waived": len(readiness.waived)}
