"""Both watches of a load, and where they began: what a full proof is bound to."""

from __future__ import annotations

from dataclasses import dataclass

from onboarding.reconcile.changes.draining import began_at
from onboarding.reconcile.changes.pending import ensure_pending
from onboarding.reconcile.changes.sessions import WatchLost
from onboarding.reconcile.changes.watches import Watches, open_watch


@dataclass(frozen=True)
class Began:
    """Where both watches began: what a full proof that was made while they stood is bound to."""

    source: str
    target: str


def stand(watches: Watches) -> Began:
    """Both watches stand, the target's opened now if need be. Ask it before the full proof. Raises WatchLost."""
    ensure_pending(watches.target)
    source = began_at(watches.source)
    try:
        return Began(source, began_at(watches.target))
    except WatchLost:
        open_watch(watches.target)
        return Began(source, began_at(watches.target))


def demand_standing(watches: Watches, proven: Began) -> None:
    """Raises WatchLost unless these are the watches that stood when the full proof was made."""
    if Began(*(began_at(watch) for watch in watches)) != proven:
        raise WatchLost("another watch than at the full proof")
