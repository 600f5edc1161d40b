"""What slots make a server keep is looked at whether a journey runs or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.small_world import FOLLOWED, WORKLOAD, Ground, at_home
from following_servers import Servers, run
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)

from onboarding.errors import AskPerson
from onboarding.stages import feeds, following, keeping_up, loading, moment
from onboarding.stages.loads import REHEARSAL

LITTLE = 1_000_000


@pytest.mark.slow
def test_a_journey_that_was_left_lying_is_told_of(
    servers: Servers,
    postgres_programs: None,  # noqa: F811
    tmp_path: Path,
) -> None:
    world = at_home(Ground.on(servers, servers.admin), tmp_path / "world", FOLLOWED)
    pilot = world.pilot()
    assert keeping_up.demand_room(pilot) == {}
    held = moment.hold(pilot, WORKLOAD, REHEARSAL)
    assert held is not None
    loading.prepare_load(pilot, WORKLOAD, REHEARSAL)
    held.close()  # and the run fails, and nobody goes on with it
    assert keeping_up.demand_room(pilot, limit_bytes=LITTLE)[WORKLOAD] < LITTLE
    run(world.pair.source, "INSERT INTO entry (number, body) SELECT n, repeat('ก', 99) FROM generate_series(1, 9000) n")
    with pytest.raises(AskPerson, match="the slot makes the source keep"):
        keeping_up.demand_room(pilot, limit_bytes=LITTLE)
    assert keeping_up.demand_room(pilot)[WORKLOAD] > LITTLE
    following.abandon(pilot)
    assert feeds.followed(pilot) == [] and keeping_up.demand_room(pilot) == {}
