"""p02's files, held against their copies once and then again: what still is as it was proven is not read."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from onboarding.manifest_files import FilesWorkload
from onboarding.reconcile.files_stamps import SETTLED_S
from onboarding.stages import proving_files, uploading
from onboarding.stages.pilot import Pilot, utc_now


@pytest.fixture(scope="module")
def later(straight: Pilot) -> Pilot:
    """When none of the agency's files is young any more."""
    return replace(straight, clock=lambda: utc_now() + timedelta(seconds=SETTLED_S))


@pytest.fixture(scope="module")
def workload(later: Pilot) -> FilesWorkload:
    (found,) = later.manifest.files
    return found


def kept(pilot: Pilot) -> tuple[str, dict[str, object]]:
    """The list's key, and what the ledger says of it."""
    told = pilot.ledger.latest(pilot.id, proving_files.KEPT, "documents")
    assert told is not None
    return f"_proof/{told.body['sha256']}.json.gz", dict(told.body)


def test_of_proven_files_none_is_read_while_they_stand(later: Pilot, workload: FilesWorkload) -> None:
    whole = proving_files.prove_and_keep(later, workload)
    assert (whole.equal, whole.unchanged, kept(later)[1]["files"]) == (True, 0, whole.source_files)
    again = proving_files.prove_changed(later, workload)
    assert (again.equal, again.unchanged) == (True, whole.source_files)


def test_a_list_that_is_not_the_one_the_ledger_knows_is_not_used(later: Pilot, workload: FilesWorkload) -> None:
    (key, _), s3 = kept(later), later.cloud.client("s3")
    forged = gzip.compress(json.dumps({"anything": ["a", "b"]}).encode())
    s3.put_object(Bucket=uploading.bucket(later, "documents"), Key=key, Body=forged)
    assert proving_files.prove_changed(later, workload).unchanged == 0
    s3.delete_object(Bucket=uploading.bucket(later, "documents"), Key=key)
    assert proving_files.prove_changed(later, workload).unchanged == 0


def test_a_round_takes_note_of_what_was_read_since(later: Pilot, workload: FilesWorkload) -> None:
    proving_files.prove_round(later)
    assert proving_files.prove_changed(later, workload).unchanged == kept(later)[1]["files"] > 0
