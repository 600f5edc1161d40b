"""The feeds of a database that is followed, one each way for every load, and which of them stand, by the ledger.

It knows which were opened (`feed_opened`) and which are gone again (`feed_closed`): a slot must not outlive its pilot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from onboarding.addresses import Database
from onboarding.databases.follow import closing
from onboarding.databases.follow.feeds import Feed
from onboarding.errors import Stop
from onboarding.stages import sides, watching
from onboarding.stages.pilot import Pilot


@dataclass(frozen=True)
class Feeds:
    """Both directions of one load."""

    load: str
    forward: Feed
    back: Feed


def of_load(pilot: Pilot, workload: str, load: str) -> Feeds:
    """The feeds of one load of one database: "namrong_p02_registry_1f3a5c7e_to" and "…_back" on both servers."""
    source, target = sides.source(pilot, workload), sides.target(pilot, workload)
    there, back = names(pilot, workload, load)
    return Feeds(
        load,
        Feed(there, source, target, _reached(pilot, source)),
        Feed(back, target, source, _reached(pilot, target)),
    )


def names(pilot: Pilot, workload: str, load: str) -> tuple[str, str]:
    """What the feeds of one load are called: there, and back."""
    stem = watching.stem(pilot, workload, load)
    return f"{stem}_to", f"{stem}_back"


def present(pilot: Pilot, workload: str) -> Feeds:
    """The feeds of the load that stands. Raises Stop when there is none."""
    loads = standing(pilot, workload)
    if not loads:
        raise Stop("following.no_feed", where=workload)
    return of_load(pilot, workload, loads[-1])


def standing(pilot: Pilot, workload: str) -> list[str]:
    """Loads whose feeds were opened and not closed since, oldest first."""
    opened: dict[str, None] = {}
    for record in pilot.ledger.records(pilot=pilot.id, kind=("feed_opened", "feed_closed"), subject=workload):
        load = str(record.body["load"])
        opened.pop(load, None)
        if record.kind == "feed_opened":
            opened[load] = None
    return list(opened)


def followed(pilot: Pilot) -> list[str]:
    """The databases of which something is followed, in either direction."""
    return [workload.name for workload in pilot.manifest.databases if standing(pilot, workload.name)]


def left_behind(pilot: Pilot, workload: str) -> list[str]:
    """What either server still has under the names of this database's loads, whatever the ledger knows of it."""
    if not pilot.ledger.records(pilot=pilot.id, kind="feed_opened", subject=workload, limit=1):
        return []
    there = [sides.source(pilot, workload)]
    if not sides.target_is_gone(pilot, workload):
        there.append(sides.target(pilot, workload))
    beginning = watching.beginning(pilot, workload)
    return [f"{named} ({one})" for one in there for named in closing.left_behind(one, beginning)]


def has_begun(pilot: Pilot) -> bool:
    """Whether changes are applied already: then no moment is left that both sides could be compared at, unfrozen."""
    return pilot.manifest.follows and all(_flows(pilot, workload.name) for workload in pilot.manifest.databases)


def _flows(pilot: Pilot, workload: str) -> bool:
    began = pilot.ledger.latest(pilot.id, "following", workload)
    return began is not None and began.body["load"] in standing(pilot, workload)


def fence(pilot: Pilot, workload: str) -> int:
    """A higher number than any attempt had: what an earlier one still does to this database's feeds is refused."""
    return pilot.ledger.next_fence(pilot.id, f"feed:{workload}", run=pilot.run)


def _reached(pilot: Pilot, database: Database) -> Database:
    """As the other server reaches it: by its name, or, where only we can look that up, by its address."""
    return replace(database, host=pilot.resolve(database.host)) if pilot.own_names else database
