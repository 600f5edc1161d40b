"""The candidate services as one file: what each is, and the facts that speak for and against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from onboarding import checked_yaml
from onboarding.manifest import Agency, Bilingual, DataClass
from onboarding.manifest_types import Line, PilotId, Region

CANDIDATES_FILE = Path(__file__).resolve().parents[2] / "candidates.yaml"

Engine = Literal["upload", "datasync", "copy", "follow", "dms", "image", "mgn", "none"]

Ready = Literal["owner", "staff", "request", "window", "backup"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Facts(_Part):
    """What can be counted or looked up about a service; a judgement is the criteria's business, not the file's."""

    delivery_weeks: Annotated[int, Field(ge=1, le=520)]
    """The agency's own estimate: from the approved request to the public using it on AWS."""
    uses_per_year: Annotated[int, Field(ge=0, le=10_000_000_000)]
    """Times a year that a citizen, a company or an official is served by it."""
    ready: tuple[Ready, ...]
    """What the agency has already: a named owner, staff for the move, a filed government-cloud request, an agreed
    window, a backup that was restored once."""
    engines: Annotated[tuple[Engine, ...], Field(min_length=1)]
    """What the whole service would take to move; `none`: nothing that moves it is known."""
    data_gib: Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
    """Databases and files together, GiB."""
    dependencies: Annotated[int, Field(ge=0, le=1_000)]
    """Other systems that it calls or that call it."""
    machines: Annotated[int, Field(ge=0, le=10_000)]
    """Virtual machines that it runs on today."""

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Self:
        for said in (self.ready, self.engines):
            if len(said) != len(set(said)):
                raise ValueError("names the same thing twice")
        return self


class Candidate(_Part):
    """One service that an agency offers as a pilot."""

    id: PilotId
    fictional: bool
    """Whether agency and service are made up; shown as สมมติ."""
    name: Bilingual
    agency: Agency
    data: DataClass
    region: Region
    note: Line
    """What is special about it, in a sentence."""
    facts: Facts


class Candidates(_Part):
    """The whole file."""

    version: Line
    candidates: Annotated[tuple[Candidate, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [candidate.id for candidate in self.candidates]
        if len(ids) != len(set(ids)):
            raise ValueError("two candidates share an id")
        return self


def load_candidates(path: Path = CANDIDATES_FILE) -> Candidates:
    """The candidates as the file has them now. Raises BadFile."""
    return checked_yaml.load(path, Candidates)
