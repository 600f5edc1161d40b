"""The sample pilots' own expectations and golden questions, on their agencies' own data and a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import free_port
from psycopg import sql

from onboarding.addresses import Database
from onboarding.expectations import run
from onboarding.manifests import load_file
from onboarding.reconcile.golden import ask
from sandbox.agencies import database as agency
from sandbox.agencies.profiles import PROFILES
from sandbox.postgres import Cluster

PILOTS = Path(__file__).resolve().parents[2] / "include" / "pilots"


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of our own: the agencies' roles have fixed names."""
    cluster = Cluster(tmp_path_factory.mktemp("agencies") / "data", "127.0.0.1", free_port(), "boss", "pw")
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.mark.parametrize("pilot", sorted(PROFILES))
def test_every_question_is_answered_and_a_faithful_copy_breaks_nothing(
    agencies: Cluster, pilot: str, tmp_path: Path
) -> None:
    profile = PROFILES[pilot]
    (workload,) = load_file(PILOTS / f"{pilot}.yaml").databases
    assert (workload.name, workload.service_role) == (profile.database, profile.service)
    agency.make(
        agencies, profile, agency.Login(profile.owner, "x"), agency.Login(profile.service, "y"), seed=7, scale=0.05
    )
    source = Database(agencies.host, agencies.port, profile.database, profile.owner, "x", resolve=lambda host: host)
    target = replace(source, name=f"{profile.database}_copy")
    with agencies.connect() as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (target.name, source.name)))
        )

    answers = ask(source, target, workload.golden)
    result = run(source, target, workload.expectations, out_dir=tmp_path)

    assert len(answers.answers) >= 2
    assert answers.equal, answers.as_json()
    assert all(answer.source.rows for answer in answers.answers)
    assert len(result.outcomes) >= 4
    assert result.held, result.as_json()
    assert (result.count("already_so") >= 3) is (pilot == "p09")
