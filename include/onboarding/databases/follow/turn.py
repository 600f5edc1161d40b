"""The way back, armed before the switch: the old side follows the new one from when both were frozen and equal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from onboarding.databases.follow import markers
from onboarding.databases.follow.closing import close
from onboarding.databases.follow.drain import drained
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import claim, ensure_notes
from onboarding.databases.follow.publication import ensure_publication
from onboarding.databases.follow.slots import ensure_slot_since
from onboarding.databases.follow.subscription import create, drop, enable, is_enabled, was_enabled
from onboarding.databases.sessions import session
from onboarding.errors import Stop, TryAgain

PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True)
class Armed:
    """Whence the way back goes on (the new side's position), and whether this was proven by a marker's passage."""

    position: str
    marker: str


def prepare(feed: Feed, *, fence: int) -> None:
    """Before the freeze: publication and disabled subscription of the way back, so that the freeze need not wait.

    Its subscriber's server tries the connection, so that what is missing is found now. A subscription that never ran
    is made anew, with the password and the address of now. Safe to call again; one that ran is left alone.
    """
    ensure_notes(feed.subscriber, feed.name)
    with session(feed.subscriber) as connection:
        claim(connection, feed.name, fence)
        if was_enabled(connection, feed.name):
            return
        ensure_publication(feed.publisher, feed.name)
        drop(connection, feed.name)
        create(connection, feed)


def arm(done: Feed, back: Feed, *, fence: int, patience: timedelta = PATIENCE) -> Armed:
    """`back` goes on from where `done` was drained, and is proven to.

    Call it while both sides are frozen and found equal. The slot begins after the last change that `done` applied, so
    that none of them is sent back, and before the first one that the service will make. Safe to call again, after the
    switch too, as long as `done` is not closed. Raises Stop while `done` is not drained: two directions never run at
    once.
    """
    at = drained(done)
    if at is None or is_enabled(done):
        raise Stop("follow.not_drained_yet", where=str(done))
    with session(done.subscriber) as connection:
        claim(connection, done.name, fence)
        connection.execute(
            "UPDATE namrong.feeds SET turned_at = coalesce(turned_at, clock_timestamp()) WHERE name = %s", [done.name]
        )
    with session(back.subscriber) as connection:
        running = was_enabled(connection, back.name)
    ensure_slot_since(back, at.position, in_use=running, patience=patience)
    enable(back, fence=fence)
    marker = markers.write(back)
    if not markers.wait_applied(back, marker, patience):
        raise TryAgain("follow.not_armed", where=str(back), seconds=int(patience.total_seconds()))
    return Armed(at.position, marker.id)


def disarm(done: Feed, back: Feed, *, fence: int) -> None:
    """The night is called off before the switch: nothing is left of `back`, and `done` follows again.

    Only while the service has written nothing on the new side: what it wrote there would be on no other. Safe to call
    again.
    """
    close(back, fence=fence)
    with session(done.subscriber) as connection:
        claim(connection, done.name, fence)
        connection.execute("UPDATE namrong.feeds SET turned_at = NULL WHERE name = %s", [done.name])
    enable(done, fence=fence, again=True)
