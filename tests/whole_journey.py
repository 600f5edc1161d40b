"""One pilot's whole journey by calls from a shell, without Airflow: the same stages in the same order as the DAG."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import boto3
from sandbox_process import INCLUDE, ask

from launcher.journeys import files_access
from onboarding.addresses import Database
from onboarding.approvals import Person
from onboarding.aws import Cloud
from onboarding.cutover.state import CutoverState
from onboarding.files_access import place_of
from onboarding.ledger import Ledger
from onboarding.look_ups import resolver
from onboarding.manifests import load_folder
from onboarding.observations import Answer
from onboarding.selection import steps as selection
from onboarding.selection.steps import Selecting
from onboarding.stages import (
    account,
    cutover,
    decision,
    gates,
    intake,
    live,
    loading,
    loads,
    migration,
    moment,
    rehearsing,
    uploading,
    validation,
)
from onboarding.stages.pilot import Login, Pilot, Settings, utc_now

PILOTS = INCLUDE / "pilots"
PEOPLE = {
    login: Person(str(number), login, login, roles)
    for number, (login, roles) in enumerate(
        {"platform": ("platform",), "approver1": ("approver",), "approver2": ("approver",)}.items(), 1
    )
}


@contextmanager
def agencies(
    folder: Path, cloud: dict[str, Any], pilots: str, scale: float, *, in_use: bool = False
) -> Iterator[dict[str, Any]]:
    """The agencies' ready file, their names told to the sandbox's DNS; `in_use`: their programs write all the while."""
    ready = folder / "ready.json"
    words = ["--state", folder / "state", "--ready", ready, "--service-port", cloud["service_port"]]
    words += ["--subnet", cloud["subnet"], "--scale", scale, "--pilots", pilots, "--watch-stdin"]
    words += ["--nameserver", cloud["nameserver"]] if in_use else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.agencies", *map(str, words)],
            stdin=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(INCLUDE)},
        )
    try:
        deadline = time.monotonic() + 120
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the agencies did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        ask(cloud, "names", told["names"])
        yield told
    finally:
        process.terminate()
        process.wait(60)


def pilot_of(cloud: dict[str, Any], sides: dict[str, Any], ledger: Ledger, pilot_id: str, run: str = "r1") -> Pilot:
    """The pilot as the plugin would hand it to a task, from the sandbox's and the agencies' ready files."""
    manifests = load_folder(PILOTS).manifests
    manifest, side = manifests[pilot_id], sides["pilots"][pilot_id]
    resolve = resolver(cloud["nameserver"])
    source = Database(
        side["name"], side["port"], side["database"], side["owner"]["user"], side["owner"]["password"], resolve
    )
    session = boto3.Session(cloud["access_key"], cloud["secret_key"], region_name=manifest.region)
    return Pilot(
        manifest=manifest,
        others=tuple(other for other in manifests.values() if other.id != pilot_id),
        ledger=ledger,
        management=Cloud(session, manifest.region, cloud["aws_endpoint_url"]),
        settings=Settings("pilots.example", f"namrong-anchors-{cloud['management_account']}", "test key", sandbox=True),
        resolve=resolve,
        sources={workload.name: source for workload in manifest.databases},
        services={w.name: Login(side["service"]["user"], side["service"]["password"]) for w in manifest.databases},
        folders={w.name: place_of(w, files_access(side), manifest.region, resolve) for w in manifest.files},
        run=run,
        requester="platform",
        clock=utc_now,
        own_names=True,
    )


class Stalled:
    """The ledger as a worker knows it that looked at the cutover so many times, stalled, and then woke up."""

    def __init__(self, ledger: Ledger, saw: CutoverState, looks: int) -> None:
        self._ledger, self._saw, self._looks = ledger, saw, looks

    def cutover_state(self, pilot: str) -> CutoverState:
        self._looks -= 1
        return self._saw if self._looks >= 0 else self._ledger.cutover_state(pilot)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def stalled(pilot: Pilot, saw: CutoverState, looks: int) -> Pilot:
    """The pilot in the hands of a worker that everybody took for dead."""
    return replace(pilot, ledger=cast(Ledger, Stalled(pilot.ledger, saw, looks)))


def choose_pilots(ledger: Ledger) -> None:
    """The ten, as `select_pilots` chooses them, confirmed by an approver: without it no gate `intake` opens."""
    selecting = Selecting(ledger, "selection", "platform", ledger.now)
    selection.assess(selecting)
    selection.propose_list(selecting)
    question = selection.ask(selecting, PEOPLE)
    selection.record_answer(
        selecting, PEOPLE, answered_by=question.people[0].id, approved=True, automated=True, comment=""
    )
    selection.record(selecting)


def open_gate(pilot: Pilot, name: str, within_s: float = 60) -> None:
    """Asks until the gate opens; says what it saw when it does not."""
    deadline = time.monotonic() + within_s
    while (verdict := gates.ask(pilot, name)).answer is Answer.UNKNOWN and time.monotonic() < deadline:
        time.sleep(0.3)
    if verdict.answer is not Answer.PASS:
        raise AssertionError(f"{name}: {[seen for seen in verdict.observations if seen.answer is not Answer.PASS]}")


def load(pilot: Pilot, kind: str) -> None:
    for workload in pilot.manifest.databases:
        ended = threading.Event()
        loading.begin_anew_if_unproven(pilot, workload.name, kind)
        held = moment.hold(pilot, workload.name, kind)
        if held is not None:
            threading.Thread(target=_hold, args=(pilot, workload.name, kind, held, ended), daemon=True).start()
        try:
            units = loading.prepare_load(pilot, workload.name, kind)
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda unit, name=workload.name: loading.copy_rows(pilot, unit, name, kind), units))
            loading.finish_load(pilot, workload.name, kind)
        except BaseException:
            ended.set()
            raise


def _hold(pilot: Pilot, workload: str, kind: str, held: moment.Held | None, ended: threading.Event) -> None:
    """As the triggerer does: until the load needs its snapshot no more."""
    while held is not None:
        if ended.wait(0.2):
            held.close()
            return
        held = moment.go_on_holding(pilot, workload, kind, held)


def upload(pilot: Pilot) -> None:
    for workload in pilot.manifest.files:
        for unit in uploading.plan_files(pilot, workload.name):
            uploading.move_files(pilot, unit, workload.name)


def approve(pilot: Pilot, purpose: str = decision.CUTOVER) -> None:
    for ordinal in (1, 2):
        question = decision.ask(pilot, purpose, ordinal, PEOPLE, "platform")
        decision.record_answer(
            pilot,
            purpose,
            ordinal,
            PEOPLE,
            requester="platform",
            answered_by=question.people[0].id,
            approved=True,
            automated=True,
            comment="",
        )


def steps(pilot: Pilot) -> dict[str, Callable[[], Any]]:
    """Every step by its name, in the DAG's order; a gate is a step too."""
    named: list[Callable[[Pilot], Any] | str] = [
        intake.receive, intake.assess, "intake",
        account.request_account, "account_made", account.place_and_guard, "region_open",
        account.apply_baseline, account.grant_access, "account",
        migration.request_targets, "targets_made", upload, load_rehearsal,
        migration.back_up, "backed_up", migration.restore_backup, "restored", migration.prove_restore, "migration",
        validation.reconcile, validation.expect, validation.ask_golden_queries, rehearsing.rehearse, "validation",
        *(_follow_night(pilot) if pilot.manifest.follows else _copy_night(pilot)),
        "cutover", "soak", live.revoke_access, live.declare,
    ]  # fmt: skip
    return dict(_named(pilot, step) for step in named)


def _copy_night(pilot: Pilot) -> list[Callable[[Pilot], Any] | str]:
    by_hand = pilot.manifest.cutover.traffic.mode == "manual"
    turned = [cutover.ask_for_name, "named"] if by_hand else [cutover.shift_traffic]
    return ["window", approve, cutover.freeze, load_final, cutover.prove, *turned, cutover.release]


def _follow_night(pilot: Pilot) -> list[Callable[[Pilot], Any] | str]:
    reads = [cutover.ramp_reads] if pilot.manifest.cutover.traffic.reads else []
    by_hand = pilot.manifest.cutover.traffic.mode == "manual"
    switched = [cutover.make_ready, "named", cutover.release] if by_hand else [cutover.switch_over]
    return [
        cutover.begin_following, "window", approve, "deciding", "near", *reads, *switched,
    ]  # fmt: skip


def load_rehearsal(pilot: Pilot) -> None:
    load(pilot, loads.REHEARSAL)


def load_final(pilot: Pilot) -> None:
    load(pilot, loads.FINAL)


def _named(pilot: Pilot, step: Callable[[Pilot], Any] | str) -> tuple[str, Callable[[], Any]]:
    if isinstance(step, str):
        return f"gate_{step}", partial(open_gate, pilot, step)
    return step.__name__, partial(step, pilot)
