"""Our few exceptions: what happened, where, and what to do, in Thai and English.

The class says what the machine does next; the message says what the person does next.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from onboarding.messages import Language, text

Action = Literal["retry", "adopt", "ask", "stop"]


class OnboardingError(Exception):
    """A failure with a catalogue entry `key` that holds `what` and `remedy`."""

    action: ClassVar[Action] = "stop"

    def __init__(self, key: str, *, where: str = "", **values: object) -> None:
        self.key, self.where, self.values = key, where, values
        super().__init__(self.render("en"))

    def render(self, language: Language) -> str:
        """What happened, where, what to do: one paragraph."""
        what = text(f"{self.key}.what", language, where=self.where, **self.values)
        remedy = text(f"{self.key}.remedy", language, where=self.where, **self.values)
        return f"{self.where + ': ' if self.where else ''}{what} → {remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.key, self.where, self.values)


def _rebuild(kind: type[OnboardingError], key: str, where: str, values: dict[str, object]) -> OnboardingError:
    return kind(key, where=where, **values)


class Stop(OnboardingError):
    """Bad input, a refusal, a proof that failed: trying again changes nothing."""


class TryAgain(OnboardingError):
    """Passing trouble: a throttle, a lost connection, a thing still being made."""

    action = "retry"


class LeftOut(OnboardingError):
    """Not done here, and no failure: another step of the journey does it."""


class AskPerson(OnboardingError):
    """A person has to act outside (a quota, a credential); afterwards the task is cleared."""

    action = "ask"
