"""The records from which every figure of the programme is computed, one small shape per kind.

| kind             | subject     | written                                                 | figures from it           |
|------------------|-------------|---------------------------------------------------------|---------------------------|
| `run`            | "journey"   | when a journey begins                                   | sandbox stamp, requester  |
| `stage`          | the stage   | by programme.progress: entered, passed, failed          | state, since, lead time   |
| `moved_rows`     | workload    | by the mover, for each finished unit                    | rows                      |
| `moved_files`    | workload    | by the mover, for each finished unit                    | files                     |
| `moving`         | workload    | by a unit that takes long: how far it is                | how much has moved so far |
| `reconciled`     | workload    | by the verifier, after each comparison                  | unaccounted rows, files   |
| `rehearsal`      | "cutover"   | when cutover and way back were rehearsed and timed      | rehearsal_s, rollback_…_s |
| `runbook`        | "cutover"   | just before it: each step, its owner, what it took      | none: the runbook's page  |
| `freeze`         | "cutover"   | when the first write was refused                        | freeze_s begins           |
| `freeze_made_permanent` | workload | when the switch was committed on its source     | -                         |
| `freeze_expired` | workload    | when a freeze was found to have ended by itself         | -                         |
| `release`        | "cutover"   | when writes are let in again, on either side            | freeze_s ends             |
| `refused`        | the stage   | when people or policy said no, for good                 | state                     |
| `tasks`          | "journey"   | at the end of a run, counted by Airflow                 | task_instances            |
| `observation`    | the gate    | by gates.observe: what a gate saw                       | what a pilot waits for    |
| `approval_asked` | the purpose | by approvals.ask                                        | what a pilot waits for    |
| `approval`       | the purpose | by approvals.record                                     | automated approvals       |
| `trouble`        | the task    | by programme.troubles: a task failed, and why           | what a pilot waits for    |
| `mended`         | the task    | by programme.troubles: the same task went well again    | what a pilot waits for    |
| `assessment`     | "selection" | by selection.assess, of the programme, not of a pilot   | -                         |
| `proposal`       | "selection" | by selection.propose_list                               | -                         |
| `selection`      | "selection" | by selection.record, once people confirmed the proposal | refused; may a pilot begin|
| `counted`        | the pilot   | of the programme, when a pilot went live                | none: a burn-up to check  |
| `goal_reached`   | "live"      | of the programme, once as many are live as its goal     | none: proof of the goal   |

The last five are about no single pilot and are kept under PROGRAMME.
`intent`, `intent_result`, `fence` and `cutover` are written by the ledger's own methods. Written again (a cleared
task), the newest counts, but the first counts for the begin of a freeze and the day a pilot went live.

    pilot.record(*MovedRows("registry", load="final", unit="documents/0", rows=50_000).as_record())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from onboarding.records import Record

PROGRAMME = "programme"
"""Stands where other records have their pilot's id."""

Stage = Literal["intake", "account", "migration", "validation", "cutover", "soak", "live"]


@dataclass(frozen=True)
class _Kind:
    KIND: ClassVar[str]
    SUBJECT: ClassVar[str] = ""
    """The field that is the record's subject, or the subject itself when there is no such field."""

    def as_record(self) -> tuple[str, str, dict[str, Any]]:
        """Kind, subject and body, as `Ledger.record` takes them."""
        return self.KIND, str(getattr(self, self.SUBJECT, self.SUBJECT)), asdict(self)

    @classmethod
    def of(cls, record: Record) -> Self:
        """The shape back from its record; fields that a later version added are left aside."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: _value(name, value) for name, value in record.body.items() if name in known})


def _value(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else value


@dataclass(frozen=True)
class RunBegan(_Kind):
    """A journey began. `sandbox` stamps every figure of the report."""

    KIND = "run"
    SUBJECT = "journey"
    sandbox: bool
    compressed: bool
    requester: str
    manifest_digest: str


@dataclass(frozen=True)
class StageEvent(_Kind):
    """A stage was entered, passed or failed."""

    KIND = "stage"
    SUBJECT = "stage"
    stage: Stage
    state: Literal["entered", "passed", "failed"]


@dataclass(frozen=True)
class MovedRows(_Kind):
    """A finished unit (a table or a shard of one). `load` tells one load of the workload from the next."""

    KIND = "moved_rows"
    SUBJECT = "workload"
    workload: str
    load: str
    unit: str
    rows: int
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class MovedFiles(_Kind):
    """A finished batch of files; what was there already counts, it has arrived."""

    KIND = "moved_files"
    SUBJECT = "workload"
    workload: str
    load: str
    unit: str
    files: int
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Moving(_Kind):
    """How much of a unit is on the target while it is still at work, in bytes as they were planned."""

    KIND = "moving"
    SUBJECT = "workload"
    workload: str
    what: Literal["rows", "files"]
    load: str
    unit: str
    bytes: int


@dataclass(frozen=True)
class Reconciled(_Kind):
    """Source against target, by the verifier: `unaccounted` are missing, extra, changed and not read."""

    KIND = "reconciled"
    SUBJECT = "workload"
    workload: str
    what: Literal["rows", "files"]
    moment: str
    source: int
    unaccounted: int
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Rehearsal(_Kind):
    """Cutover and way back, rehearsed; seconds."""

    KIND = "rehearsal"
    SUBJECT = "cutover"
    cutover_s: float
    way_back_s: float
    window_s: float
    fits: bool


@dataclass(frozen=True)
class Runbook(_Kind):
    """The night and the way back, step by step as rehearsed; `backups` are those that it was rehearsed on.

    Each of `steps` has `step`, `phase`, `owner`, `rehearsed_s` (the longest that was measured), `measured` (seconds by
    where: `stage`, `source`, `migration`), `planned_s` (with the margin) and `seen`, what made it a success.
    """

    KIND = "runbook"
    SUBJECT = "cutover"
    engine: str
    backups: Mapping[str, str]
    steps: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Freeze(_Kind):
    """Writes are refused since `refused_at`, and until `deadline_at` unless the switch is committed (None: for ever).

    Of several databases the earliest of each, by the clocks of their servers.
    """

    KIND = "freeze"
    SUBJECT = "cutover"
    refused_at: datetime
    deadline_at: datetime | None = None


@dataclass(frozen=True)
class FreezeMadePermanent(_Kind):
    """The switch was committed on a source: its freeze ends by itself no more, since then (its own clock)."""

    KIND = "freeze_made_permanent"
    SUBJECT = "workload"
    workload: str
    permanent_at: datetime
    deadline_at: datetime | None


@dataclass(frozen=True)
class FreezeExpired(_Kind):
    """A source took writes again by itself, since then (its own clock): the night had not been committed in time."""

    KIND = "freeze_expired"
    SUBJECT = "workload"
    workload: str
    expired_at: datetime
    deadline_at: datetime | None


@dataclass(frozen=True)
class Release(_Kind):
    """Writes are let in again since `released_at`, on `side`."""

    KIND = "release"
    SUBJECT = "cutover"
    released_at: datetime
    side: Literal["source", "target"]


@dataclass(frozen=True)
class Refused(_Kind):
    """The journey ended with a no: `by` a person's login or a policy's name."""

    KIND = "refused"
    SUBJECT = "stage"
    stage: Stage
    by: str
    reason: str


@dataclass(frozen=True)
class TasksCounted(_Kind):
    """How many task instances the run had."""

    KIND = "tasks"
    SUBJECT = "journey"
    task_instances: int


@dataclass(frozen=True)
class AssessedCandidates(_Kind):
    """Every candidate's points by criterion (0 to 1000), and what refused the others; `files` is their digest."""

    KIND = "assessment"
    SUBJECT = "selection"
    files: str
    versions: Mapping[str, str]
    points: Mapping[str, Mapping[str, int]]
    refused: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Proposed(_Kind):
    """The list that people are asked about: places, reasons, stability; `digest` is the proposal's."""

    KIND = "proposal"
    SUBJECT = "selection"
    digest: str
    proposal: Mapping[str, Any]


@dataclass(frozen=True)
class Selected(_Kind):
    """The list that people confirmed: whose pilots may begin."""

    KIND = "selection"
    SUBJECT = "selection"
    digest: str
    chosen: list[str]
    confirmed_by: str
    proposal: Mapping[str, Any]


@dataclass(frozen=True)
class Counted(_Kind):
    """The programme when `pilot` went live with the record `as_of`; recomputed from the records up to there.

    `manifests` are the pilots that were counted among, by id; `lead_time_s` is this pilot's.
    """

    KIND = "counted"
    SUBJECT = "pilot"
    pilot: str
    as_of: int
    live: Sequence[str]
    goal: int
    in_stage: Mapping[str, int]
    blocked: int
    lead_time_s: float | None
    manifests: Sequence[str]


@dataclass(frozen=True)
class GoalReached(_Kind):
    """As many pilots are live as the programme set out for; `reached_at` is when the last of them went live."""

    KIND = "goal_reached"
    SUBJECT = "live"
    goal: int
    live: Sequence[str]
    last: str
    reached_at: datetime
