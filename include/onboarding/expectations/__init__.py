"""The quality of the data, asked of source and target alike, so that a move's damage and old sins are told apart."""

from onboarding.expectations.running import run as run
from onboarding.expectations.verdicts import ExpectationResult as ExpectationResult
from onboarding.expectations.verdicts import Outcome as Outcome
