"""What a comparison of files found: figures, JSON without names, an observation for a gate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from onboarding.observations import Answer, Observation
from onboarding.reconcile.files_stamps import Stamps
from onboarding.reconcile.pseudonyms import Pseudonyms

Problem = Literal["missing", "extra", "changed", "unread"]


@dataclass(frozen=True)
class FileDifference:
    """A file that lies on one side only, differs, or could not be read. `path` is for the operator alone."""

    problem: Problem
    path: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the path's bytes. Never stored: a file's name may be a person's, and is guessed."""
        return hashlib.sha256(self.path).hexdigest()


@dataclass(frozen=True)
class FilesComparison:
    """A folder and its copy in a bucket. Excluded: entries that are no regular files, by kind.

    `untold`: what the source cannot tell (`coarse`: changes within one second; `hidden`: names that it does not list).
    `unchanged`: how many were not read, since both sides stood as at an earlier proof; `stamps`: by what a later
    one may tell that of those that were proven alike.
    """

    source_files: int
    target_files: int
    source_bytes: int
    excluded: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[FileDifference, ...] = ()
    untold: tuple[str, ...] = ()
    unchanged: int = 0
    stamps: Stamps = field(default_factory=dict, repr=False, compare=False)

    def count(self, problem: Problem) -> int:
        """How many files have the problem."""
        return sum(difference.problem == problem for difference in self.differences)

    @property
    def residual(self) -> int:
        """Files of the source that are not on the target; negative when there are too many."""
        return self.source_files - self.target_files

    @property
    def unaccounted_files(self) -> int:
        """Files missing, extra, changed, or not read, and therefore not proven."""
        return len(self.differences)

    @property
    def equal(self) -> bool:
        """Every file was read on both sides, or is what it was when it had been, and none differs."""
        return not self.differences

    def as_json(self, names: Pseudonyms | None = None) -> dict[str, Any]:
        """Counts, and pseudonyms of the paths that differ."""
        names = names or Pseudonyms.forgotten()
        return {
            "equal": self.equal,
            "source_files": self.source_files,
            "target_files": self.target_files,
            "source_bytes": self.source_bytes,
            "excluded": dict(self.excluded),
            "untold": list(self.untold),
            "unchanged": self.unchanged,
            "residual": self.residual,
            "unaccounted_files": self.unaccounted_files,
            "differences": [{"problem": one.problem, "pseudonym": names.of(one.digest)} for one in self.differences],
        }

    def observations(self, at: datetime) -> list[Observation]:
        """What a gate asks: did every file arrive. A folder without any file proves nothing: it may not be mounted."""
        unread = self.count("unread")
        if self.unaccounted_files > unread:
            answer, why = Answer.FAIL, "reconcile.files_differ"
        elif unread:
            answer, why = Answer.UNKNOWN, "reconcile.files_unknown"
        elif not self.source_files:
            answer, why = Answer.UNKNOWN, "reconcile.files_none"
        else:
            answer, why = Answer.PASS, ""
        values = {problem: self.count(problem) for problem in ("missing", "extra", "changed", "unread")}
        return [
            Observation(
                "files_match", answer, self.unaccounted_files, 0, at, why, {"count": sum(values.values())} | values
            )
        ]


def named_files(comparison: FilesComparison) -> Iterator[tuple[Problem, str]]:
    """Problem and path for the operator: to be shown, never to be stored."""
    for one in comparison.differences:
        yield one.problem, one.path.decode("utf-8", "backslashreplace")
