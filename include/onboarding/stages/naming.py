"""The service's name, whoever leads it: we, by weights in Route 53, or a person of the agency, by hand.

Only here is asked which of the two it is; the shape of the night, which has a wait for people or not, is the DAG's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from onboarding.gates import Check
from onboarding.observations import Observation
from onboarding.stages import naming_by_hand, naming_by_weights
from onboarding.stages.pilot import Pilot

Step = tuple[str, Callable[[], Mapping[str, Any]]]


class Way(Protocol):
    """What is done about the name in a night, and how it is known to be done. A side is `traffic.SOURCE` or `TARGET`.

    Where we lead it, it is done when the call is back. A person is only asked, and look-ups tell whether they did it.
    """

    def prepare(self, pilot: Pilot) -> None:
        """Days before, with `follow`: the name still leads to the source, and can be turned at once."""

    def before_freeze(self, pilot: Pilot) -> Mapping[str, Check]:
        """What has to be known of the name before anything is frozen."""

    def lead_over(self, pilot: Pilot) -> dict[str, Any]:
        """Led to the target, or asked for. Raises Stop when the service does not answer well there."""

    def demand(self, pilot: Pilot, side: str) -> None:
        """Raises Stop when the name does not lead to that side now."""

    def turn_back(self, pilot: Pilot) -> None:
        """Led to the source, or asked for and not waited for: until then nobody writes anywhere."""

    def demand_back(self, pilot: Pilot) -> None:
        """Raises AskPerson while a person has yet to lead the name back."""

    def observe(self, pilot: Pilot, side: str) -> Observation:
        """Whether the name leads to that side alone."""

    def rehearsal(self, pilot: Pilot) -> Sequence[Step]:
        """How a scratch name is led over, as a step of the rehearsed night; none where nothing can be rehearsed."""

    def turn_rehearsal_back(self, pilot: Pilot) -> None:
        """The scratch name leads to the source again."""

    def agency_needs(self, pilot: Pilot) -> Mapping[str, float]:
        """Seconds that people need for a step of the runbook, by their own word."""


def who_leads(pilot: Pilot) -> Way:
    """The way of this pilot's name."""
    if pilot.manifest.cutover.traffic.mode == "manual":
        return naming_by_hand
    return naming_by_weights
