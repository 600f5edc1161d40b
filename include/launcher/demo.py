"""The main job: trigger the pilots, show where they are, answer for the demo's approvers, sum up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from launcher import approving, front, result, selecting, troubles
from launcher.agency_dns import Administrators
from launcher.components import read
from launcher.journeys import RunningCheckout
from launcher.rest import Airflow
from launcher.screen import Screen
from launcher.troubles import Trouble
from launcher.watching import FINISHED, TELLING, Line, busy_with
from onboarding.evidence_kinds import TasksCounted
from onboarding.manifest import Manifest
from onboarding.manifests import load_folder
from onboarding.programme.goal import load_goal
from onboarding.programme.table import PilotRow, rows

POLL_S = 2.0
PARSED_WITHIN_S = 60.0
STALLED_AFTER_S = 900.0
"""With nobody to wait for, a demonstration in which nothing happens for so long has failed; it waits 60 s at most."""


class Demo:
    """One demonstration on a run that is up."""

    def __init__(self, run: front.Run, screen: Screen, *, approve: bool, trouble: bool = False) -> None:
        self.run, self.screen = run, screen
        known = load_folder(run.checkout.pilots()).manifests
        self.manifests: Mapping[str, Manifest] = {pilot: known[pilot] for pilot in run.settings.pilots}
        passwords = run.checkout.secrets()
        self.platform = Airflow(run.settings.url, "platform", passwords["login:platform"])
        self.operator = Airflow(run.settings.url, "operator", passwords["login:operator"])
        people = read(run.checkout.run / "airflow_setup.json")["people"]
        self.approvers = approving.approvers(run.settings.url, people, passwords) if approve else ()
        self.world = RunningCheckout(run.checkout)
        self.ledger = self.world.ledger
        self.administrators = Administrators(self.world.cloud, self.ledger, self.manifests.values(), screen.say)
        self.runs: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self._seen: tuple[list[tuple[str, ...]], float] = ([], time.monotonic())
        self.troubles: tuple[Trouble, ...] = troubles.troubles(self._scenes()) if trouble else ()

    def play(self, report_file: Path | None) -> bool:
        """The whole demonstration; whether everything that it is to show holds."""
        if not self._wait_for_dags() or not self._select():
            return False
        self._trigger()
        with self.screen.table():
            while self._goes_on():
                self._answer()
                if self.approvers:
                    self.administrators.act()
                self.run.hear(POLL_S)  # a component that dies is heard of here
        beside = [*troubles.shortfalls(self.troubles), *self._goal_missed()]
        document = self._figures()
        if report_file is not None:
            report_file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return result.show(document, self.states, self.screen, beside)

    def _select(self) -> bool:
        return selecting.select(self.platform, self.approvers, self.ledger, self.screen, self.run.hear)

    def _goal_missed(self) -> Iterator[str]:
        """With as many pilots as the goal Airflow itself counts to it; with fewer there is nothing to fire."""
        if len(self.manifests) < load_goal().live or set(self.states.values()) != {"success"}:
            return
        if not selecting.goal_fired(self.platform, self.screen, self.run.hear):
            yield f"{selecting.REACH_GOAL}: no run that succeeded"

    def _goes_on(self) -> bool:
        """Whether a run is still on its way, or a trouble not mended yet, after one more look at all of them."""
        self._look()
        at_it = [each.look(self._moment(each.scene.pilot.id)) for each in self.troubles]
        return (any(at_it) or not FINISHED.issuperset(self.states.values())) and not self._is_stalled()

    def _is_stalled(self) -> bool:
        stalled = bool(self.approvers) and time.monotonic() - self._seen[1] > STALLED_AFTER_S
        if stalled:
            waiting = ", ".join(pilot for pilot, state in self.states.items() if state not in FINISHED)
            self.screen.say("stalled", minutes=round(STALLED_AFTER_S / 60), pilots=waiting)
        return stalled

    def _moment(self, pilot: str) -> troubles.Moment:
        return troubles.Moment(self.runs[pilot], self.states[pilot], self._instances(pilot))

    def _instances(self, pilot: str) -> list[dict[str, Any]]:
        return self.platform.task_instances(self.manifests[pilot].dag_id, self.runs[pilot])

    def _scenes(self) -> list[troubles.Scene]:
        return [
            troubles.Scene(
                self.world.pilot(manifest, self.manifests), self.operator, partial(self._start, manifest), self.screen
            )
            for manifest in self.manifests.values()
        ]

    def _start(self, manifest: Manifest) -> None:
        self.runs[manifest.id] = self.platform.trigger(manifest.dag_id)
        self.states[manifest.id] = "queued"
        self.screen.say("triggered", dag=manifest.dag_id, run=self.runs[manifest.id])

    def _wait_for_dags(self) -> bool:
        missing = {selecting.SELECT, *(manifest.dag_id for manifest in self.manifests.values())}
        self.screen.say("waiting_for_dags", pilots=", ".join(self.manifests))
        deadline = time.monotonic() + PARSED_WITHIN_S
        while missing := {dag for dag in missing if not self.platform.has_dag(dag)}:
            if time.monotonic() > deadline:
                self.screen.say("dags_missing", dags=", ".join(sorted(missing)))
                for file, trace in self.platform.import_errors().items():
                    self.screen.print(f"{file}: {trace}")
                return False
            self.run.hear(0.5)
        return True

    def _trigger(self) -> None:
        for manifest in self.manifests.values():
            self._start(manifest)
        if not self.approvers:
            self.screen.say("approvals_left")
            for record in self.administrators.records:
                self.screen.say("own_dns.left_to_people", record=record)

    def _look(self) -> None:
        found = rows(self.ledger, self.manifests.values(), self.screen.language)
        journeys = {pilot: (manifest.dag_id, self.runs[pilot]) for pilot, manifest in self.manifests.items()}
        dags = [dag for dag, _ in journeys.values()]
        states, busy = self.platform.run_states(dags), self.platform.instances_in((*TELLING, "failed"), dags)
        self.states = {pilot: states[journey] for pilot, journey in journeys.items()}
        lines = [self._line(row, journeys[row.pilot], busy) for row in found]
        if (news := [line.news() for line in lines]) != self._seen[0]:
            self._seen = (news, time.monotonic())
        self.screen.show(lines)

    def _line(self, row: PilotRow, journey: tuple[str, str], busy: Sequence[Mapping[str, Any]]) -> Line:
        mine = [task for task in busy if (task["dag_id"], task["dag_run_id"]) == journey]
        state = self.states[row.pilot]
        return Line(row, state, busy_with(mine, state, self.screen.language))

    def _answer(self) -> None:
        def say(login: str, question: str, option: str) -> None:
            self.screen.say("approval" if option == approving.APPROVE else "refusal", login=login, question=question)

        dags = {manifest.dag_id: pilot for pilot, manifest in self.manifests.items()}
        acting = {each.scene.pilot.id: each.answer for each in self.troubles}

        def choose(question: approving.Question) -> str:
            pilot = dags[question["task_instance"]["dag_id"]]
            return acting[pilot]() if pilot in acting else approving.APPROVE

        approving.answer_all(self.approvers, frozenset(dags), say, choose)

    def _figures(self) -> dict[str, Any]:
        """The report. Airflow's task instances go into the ledger first; the seconds, setting up included, we know."""
        for pilot, run in self.runs.items():
            counted = TasksCounted(len(self._instances(pilot)))
            self.ledger.record(pilot, *counted.as_record(), run=run)
        document = result.figures(self.run.checkout, self.manifests)
        # ./namrong becomes this process without a new pid, so this is since the command was given.
        return {**document, "seconds": round(time.time() - psutil.Process().create_time(), 1), "sandbox": True}
