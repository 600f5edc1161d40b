"""The cutover's states and the moves between them, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from onboarding.errors import Stop

if TYPE_CHECKING:
    from onboarding.records import Record


class CutoverState(StrEnum):
    """Where a pilot's cutover is. PLANNED is where every pilot begins."""

    PLANNED = "PLANNED"
    REHEARSED = "REHEARSED"
    FROZEN = "FROZEN"
    SWITCHED = "SWITCHED"
    COMMITTED = "COMMITTED"
    CLOSED = "CLOSED"
    ROLLED_BACK = "ROLLED_BACK"


S = CutoverState

# A later rehearsal replaces an earlier one; a pilot that is abandoned is back at the beginning. From SWITCHED the way
# back is open; COMMITTED means that the soak is over and the way back costs an approval that names the loss; CLOSED is
# the end.
MOVES: Mapping[CutoverState, frozenset[CutoverState]] = {
    S.PLANNED: frozenset({S.REHEARSED}),
    S.REHEARSED: frozenset({S.REHEARSED, S.FROZEN, S.PLANNED}),
    S.FROZEN: frozenset({S.SWITCHED, S.ROLLED_BACK}),
    S.SWITCHED: frozenset({S.COMMITTED, S.ROLLED_BACK}),
    S.COMMITTED: frozenset({S.CLOSED, S.ROLLED_BACK}),
    S.CLOSED: frozenset(),
    S.ROLLED_BACK: frozenset({S.PLANNED, S.REHEARSED}),
}


@dataclass(frozen=True)
class Position:
    """One pilot's place: the state, how many moves led here, and which attempt this is (after each way back, one more).

    `seq` and `since` are those of the record that led here; 0 and None before the first.
    """

    state: CutoverState = CutoverState.PLANNED
    step: int = 0
    epoch: int = 1
    seq: int = 0
    since: datetime | None = None
    why: Mapping[str, Any] = field(default_factory=dict)


def position(transitions: Sequence[Record]) -> Position:
    """Where the latest of a pilot's transitions led, the beginning when there is none."""
    if not transitions:
        return Position()
    last = transitions[-1]
    body = last.body
    return Position(CutoverState(body["to"]), body["step"], body["epoch"], last.seq, last.at, body["why"])


def move(pilot: str, here: Position, *, expected: CutoverState, to: CutoverState) -> Mapping[str, Any]:
    """The body of the next transition. Raises Stop when `here` is not `expected`, or no such move exists."""
    if here.state != expected:
        raise Stop("ledger.cutover_elsewhere", where=pilot, state=here.state, expected=expected)
    if to not in MOVES[here.state]:
        raise Stop("ledger.cutover_move_refused", where=pilot, state=here.state, to=to)
    again = here.state is CutoverState.ROLLED_BACK
    return {"from": here.state, "to": to, "step": here.step + 1, "epoch": here.epoch + again}
