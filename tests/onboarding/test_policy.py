"""The policy table decides: classification, region, personal-data duties, the request."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from onboarding.manifest import DataClass, Manifest, PersonalData
from onboarding.manifests import load_file
from onboarding.observations import Answer
from onboarding.policy import load_policy, observe_policy, observe_request

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PILOTS = Path(__file__).parents[2] / "include" / "pilots"
PILOT = load_file(PILOTS / "p02.yaml")
DUTIES = PersonalData(
    processor_agreement="a", record_of_processing="b", data_protection_contact="c", breach_contact_72h="d"
)


def pilot(region: str = "ap-southeast-7", **data: object) -> Manifest:
    levels = {"confidentiality": "low", "integrity": "low", "availability": "low"}
    return PILOT.model_copy(update={"data": DataClass.model_validate(levels | data), "region": region})


def failing(manifest: Manifest) -> list[str]:
    return [o.check for o in observe_policy(manifest, load_policy(), NOW) if o.answer is not Answer.PASS]


@pytest.mark.parametrize(
    ("manifest", "failed"),
    [
        (pilot(classification="open"), []),
        (pilot(classification="open", region="ap-southeast-1"), []),
        (pilot(classification="open", region="us-east-1"), ["policy.region"]),
        (pilot(classification="very_secret"), ["policy.classification"]),
        (pilot(classification="most_secret", named_approver="x"), ["policy.classification"]),
        (pilot(classification="secret"), ["policy.named_approver"]),
        (pilot(classification="secret", named_approver="x", region="ap-southeast-1"), ["policy.region"]),
        (
            pilot(classification="open", availability="high", region="ap-southeast-1", named_approver="x"),
            ["policy.region"],
        ),
        (pilot(classification="personal"), ["policy.personal_duties"]),
        (pilot(classification="personal", personal=DUTIES), []),
    ],
)
def test_each_rule(manifest: Manifest, failed: list[str]) -> None:
    assert failing(manifest) == failed


def test_the_sample_of_high_impact_moves_to_this_region_only_and_by_a_named_approver() -> None:
    licences = load_file(PILOTS / "p07.yaml")
    assert (licences.data.impact, failing(licences)) == ("high", [])
    assert failing(licences.model_copy(update={"region": "ap-southeast-1"})) == ["policy.region"]
    nobody = licences.data.model_copy(update={"named_approver": None})
    assert failing(licences.model_copy(update={"data": nobody})) == ["policy.named_approver"]


@pytest.mark.parametrize("path", sorted(PILOTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_may_move_and_says_that_it_is_fictional(path: Path) -> None:
    sample = load_file(path)
    assert failing(sample) == []
    assert sample.fictional and "สมมติ" in sample.name.th and "fictional" in sample.name.en
    others = [load_file(other) for other in PILOTS.glob("*.yaml") if other != path]
    assert not any(sample.network_cidr.overlaps(other.network_cidr) for other in others)
    for differs in ("agency", "request", "name"):
        assert getattr(sample, differs) not in [getattr(other, differs) for other in others]


def test_without_a_government_cloud_request_the_gate_stays_shut() -> None:
    assert observe_request(PILOT, NOW).answer is Answer.PASS
    assert observe_request(PILOT.model_copy(update={"request": None}), NOW).answer is Answer.FAIL
