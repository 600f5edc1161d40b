"""What `move` and `reconcile` say: words and a bar for people, a JSON object per line for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from onboarding import alone
from onboarding.errors import OnboardingError
from onboarding.messages import Language, both, text
from onboarding.readiness import Finding
from onboarding.reconcile.files_report import FilesComparison, named_files
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.spoken_sizes import spoken_size

if TYPE_CHECKING:
    from onboarding.reconcile.report import Comparison

SHOWN = 20
ROOM = "launcher.by_hand"


class Voice:
    """One language and one output."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self._language, self._as_json = language, as_json
        self._console = Console(highlight=False, soft_wrap=True)

    def say(self, event: str, **values: Any) -> None:
        """One event: the catalogue's words, or the object."""
        if self._as_json:
            print(json.dumps({"event": event, **values}, ensure_ascii=False), flush=True)
        else:
            self._print(text(f"{ROOM}.{event}", self._language, **_readable(values)))

    def trouble(self, event: str, error: OnboardingError) -> None:
        """What happened, where, what to do; programs get both languages and the key."""
        if self._as_json:
            print(json.dumps({"event": event, "key": error.key, "where": error.where,
                              **{language: error.render(language) for language in ("th", "en")}},
                             ensure_ascii=False), flush=True)  # fmt: skip
        else:
            self._print(error.render(self._language))

    def finding(self, finding: Finding) -> None:
        """One thing that stands in the way, or is good to know; to people only what they must act on."""
        if self._as_json:
            said = both(f"readiness.{finding.id}.what", where=finding.where, **finding.values)
            print(json.dumps({"event": "finding", **finding.as_json(), **said}, ensure_ascii=False), flush=True)
        elif finding.severity != "info":
            what, remedy = finding.what(self._language), finding.remedy(self._language)
            self._print(f"  {finding.severity:<8} {finding.where}: {what} → {remedy}")

    @contextmanager
    def progress(self) -> Iterator[alone.Tell]:
        """Something to tell steps to: a bar at a terminal, else a line for each step that begins."""
        if self._as_json:
            yield lambda told: self.say("progress", **vars(told))
        elif self._console.is_terminal:
            with Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn(),
                TimeRemainingColumn(), console=self._console, transient=True,
            ) as bars:  # fmt: skip
                yield _Bars(bars, self._language).tell
        else:
            steps: set[str] = set()

            def once(told: alone.Progress) -> None:
                if told.step not in steps:
                    steps.add(told.step)
                    self._print(text(f"{ROOM}.steps.{told.step}", self._language))

            yield once

    def compared(self, found: Comparison | FilesComparison, names: Pseudonyms) -> bool:
        """Whether all is equal. What is not is named, keys and paths in clear, for who sits here."""
        if self._as_json:
            print(json.dumps({"event": "compared", **found.as_json(names)}, ensure_ascii=False), flush=True)
        elif isinstance(found, FilesComparison):
            self._files(found)
        else:
            self._rows(found)
        return found.equal

    def _rows(self, found: Comparison) -> None:
        if found.equal:
            self.say("equal", rows=found.source_rows, tables=len(found.tables))
            return
        self.say("differ", rows=found.unaccounted_rows, objects=found.object_differences, unknown=len(found.unknown))
        for table in found.tables:
            if not table.equal:
                seen = table.differences
                self.say(
                    "table_differs", table=table.table, source=table.source_rows, target=table.target_rows,
                    missing=seen.missing, extra=seen.extra, duplicated=seen.duplicated, changed=seen.changed,
                    unknown=table.unknown or "-",
                )  # fmt: skip
        from onboarding.reconcile.report import named_rows  # not for files: it brings what reads databases

        for number, (name, row) in enumerate(named_rows(found)):
            if number == SHOWN:
                self.say("more")
                break
            self._print(f"    {row.kind:<10} {name} ({', '.join(map(str, row.key)) or f'ctid {row.place}'})"
                        f" {', '.join(row.columns)}")  # fmt: skip
        for one in found.objects.differences:
            self._print(f"    {one.problem:<10} {one.kind} {one.name} {', '.join(one.attributes)}")
        for sequence in found.sequences.differences:
            self._print(f"    {sequence.problem:<10} {sequence.sequence}")
        for large in found.large_objects.differences:
            self._print(f"    {large.problem:<10} large object {large.number}")
        for unread in found.unread:
            self._print(f"    unread     {unread.what}: {unread.reason}")

    def _files(self, found: FilesComparison) -> None:
        for what in found.untold:
            self._print(text(f"reconcile.page.untold.{what}", self._language))
        if found.equal:
            self.say("files_equal", files=found.source_files, bytes=found.source_bytes)
            return
        self.say("files_differ", files=found.unaccounted_files)
        for number, (problem, path) in enumerate(named_files(found)):
            if number == SHOWN:
                self.say("more")
                break
            self._print(f"    {problem:<10} {path}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False)


class _Bars:
    """A bar for the parts that move, a running clock for every other step."""

    def __init__(self, bars: Progress, language: Language) -> None:
        self._bars, self._language = bars, language
        self._task: TaskID | None = None
        self._step = ""

    def tell(self, told: alone.Progress) -> None:
        if told.step != self._step:
            if self._task is not None:
                self._bars.update(self._task, completed=1, total=1)
            self._step = told.step
            words = text(f"{ROOM}.steps.{told.step}", self._language)
            self._task = self._bars.add_task(words, total=None, rate="")
        if self._task is not None and (told.planned or told.bytes):  # how much there is may not be known yet
            task = self._bars.tasks[self._task]
            rate = f"{spoken_size(told.bytes)} · {told.bytes / 1e6 / max(task.elapsed or 0, 0.1):,.0f} MB/s"
            self._bars.update(self._task, completed=told.arrived, total=told.planned or None, rate=rate)


def _readable(values: dict[str, Any]) -> dict[str, Any]:
    """Figures as people read them."""
    readable = dict(values)
    if "bytes" in values:
        readable["bytes"] = spoken_size(values["bytes"])
    if isinstance(values.get("seconds"), dict):
        readable["steps"] = " · ".join(f"{step} {took:.1f} s" for step, took in values["seconds"].items())
        readable["seconds"] = sum(values["seconds"].values())
    return readable
