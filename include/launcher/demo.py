"""The main job: trigger the pilots, show where they are, answer for the demo's approvers, sum up."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from launcher import approving, front
from launcher.components import read
from launcher.rest import Airflow
from launcher.screen import Screen
from launcher.watching import FINISHED, Line, where
from onboarding.manifest import Manifest
from onboarding.manifests import load_folder

POLL_S = 2.0
PARSED_WITHIN_S = 120.0


class Demo:
    """One demonstration on a run that is up."""

    def __init__(self, run: front.Run, screen: Screen, *, approve: bool, began: float) -> None:
        self.run, self.screen, self.began = run, screen, began
        known = load_folder(run.checkout.pilots()).manifests
        self.manifests: Mapping[str, Manifest] = {pilot: known[pilot] for pilot in run.settings.pilots}
        passwords = run.checkout.secrets()
        self.platform = Airflow(run.settings.url, "platform", passwords["login:platform"])
        people = read(run.checkout.run / "airflow_setup.json")["people"]
        self.approvers = approving.approvers(run.settings.url, people, passwords) if approve else ()
        self.runs: dict[str, str] = {}
        self.states: dict[str, str] = {}

    def play(self, report_file: Path | None) -> bool:
        """The whole demonstration; whether everything that it is to show holds."""
        if not self._wait_for_dags():
            return False
        self._trigger()
        with self.screen.table():
            while not self.states or not FINISHED.issuperset(self.states.values()):
                self._look()
                self._answer()
                self.run.hear(POLL_S)  # a component that dies is heard of here
        from launcher import result

        figures = result.figures(self.run.checkout, self.manifests, time.monotonic() - self.began)
        if report_file is not None:
            report_file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return result.show(figures, self.states, self.screen)

    def _wait_for_dags(self) -> bool:
        missing = {manifest.dag_id for manifest in self.manifests.values()}
        self.screen.say("waiting_for_dags", pilots=", ".join(self.manifests))
        deadline = time.monotonic() + PARSED_WITHIN_S
        while missing := {dag for dag in missing if not self.platform.has_dag(dag)}:
            if time.monotonic() > deadline:
                self.screen.say("dags_missing", seconds=PARSED_WITHIN_S, dags=", ".join(sorted(missing)))
                for file, trace in self.platform.import_errors().items():
                    self.screen.print(f"{file}: {trace}")
                return False
            self.run.hear(0.5)
        return True

    def _trigger(self) -> None:
        for pilot, manifest in self.manifests.items():
            self.runs[pilot] = self.platform.trigger(manifest.dag_id)
            self.screen.say("triggered", dag=manifest.dag_id, run=self.runs[pilot])
        if not self.approvers:
            self.screen.say("approvals_left")

    def _look(self) -> None:
        lines = [self._line(pilot, manifest) for pilot, manifest in self.manifests.items()]
        self.states = {line.pilot: line.state for line in lines}
        self.screen.show(lines)

    def _line(self, pilot: str, manifest: Manifest) -> Line:
        state = self.platform.run_state(manifest.dag_id, self.runs[pilot])
        instances = self.platform.task_instances(manifest.dag_id, self.runs[pilot])
        stage, since, waits_for = where(instances, state, self.screen.language)
        name = manifest.name.th if self.screen.language == "th" else manifest.name.en
        return Line(pilot, name, state, stage, since or datetime.now(UTC), waits_for, None, None)

    def _answer(self) -> None:
        def say(login: str, question: str) -> None:
            self.screen.say("approval", login=login, question=question)

        approving.answer_all(self.approvers, frozenset(m.dag_id for m in self.manifests.values()), say)
