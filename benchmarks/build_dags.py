"""How long the dags folder takes with many pilots, beside plain DAGs with as many EmptyOperators.

`PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/build_dags.py [--pilots 1000]`, nothing else running.
No server and no database; each figure is a process of its own, in which Airflow is imported before the clock starts.
The seconds are the processor's, which other work on the machine disturbs less than the wall clock.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "include" / "pilots" / "p02.yaml"
MOST_S = 2.0
PARSING = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
"""How Airflow tells a task's own process which DAG it is of."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pilots", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--measure", choices=sorted(MEASURED), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(MEASURED[asked.measure]()))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), asked.pilots)
        seconds = {name: best(name, folder, asked.times) for name in MEASURED}
    return told(seconds, asked.pilots)


def generate(folder: Path, pilots: int) -> None:
    """That many manifests: p02's under other ids."""
    text = SAMPLE.read_text(encoding="utf-8")
    for number in range(pilots):
        name = f"p{number:04}"
        (folder / f"{name}.yaml").write_text(text.replace("id: p02\n", f"id: {name}\n", 1), encoding="utf-8")


def best(name: str, folder: str, times: int) -> dict[str, float]:
    """The least of so many processes: what else the machine does only adds."""
    return min((once(name, folder) for _ in range(times)), key=lambda measured: measured["seconds"])


def once(name: str, folder: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ, "NAMRONG_PILOTS": folder, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(ROOT / "plugins"))),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, __file__, "--measure", name], env=environment, capture_output=True, text=True, check=True
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def told(seconds: dict[str, dict[str, float]], pilots: int) -> int:
    """The figures for people; 1 when reading the manifests takes longer than agreed."""
    manifests, ours, plain, task = (seconds[name] for name in ("manifests", "all", "plain", "task"))
    print(f"{pilots} manifests read and validated: {manifests['seconds']:.2f} s (at most {MOST_S} s)")
    print(f"their journeys built ({ours['tasks']:.0f} tasks): {ours['seconds']:.2f} s, manifests included")
    print(f"as many EmptyOperators in as many plain DAGs: {plain['seconds']:.2f} s")
    print(f"ratio: {ours['seconds'] / plain['seconds']:.2f}")
    print(f"what a task's own process builds ({task['dags']:.0f} DAG): {task['seconds']:.2f} s")
    return 0 if manifests["seconds"] <= MOST_S else 1


def timed(work: Callable[[], dict[str, float]]) -> dict[str, float]:
    began = time.process_time()
    counted = work()
    return {"seconds": time.process_time() - began, **counted}


def read_manifests() -> dict[str, float]:
    from onboarding_airflow.pilots import loaded

    def work() -> dict[str, float]:
        found = loaded()
        assert not found.bad
        return {"manifests": len(found.manifests)}

    return timed(work)


def build_all() -> dict[str, float]:
    import onboarding_airflow.journey  # noqa: F401  (imports are not what is measured)

    def work() -> dict[str, float]:
        dags = executed("onboard_pilot")
        return {"dags": len(dags), "tasks": sum(dags)}

    return timed(work)


def build_for_a_task() -> dict[str, float]:
    os.environ[PARSING] = "onboard_p0000"
    return build_all()


def executed(file: str) -> list[int]:
    """The number of tasks of each DAG that a DAG file makes."""
    import runpy

    from airflow.sdk import DAG

    made: list[int] = []
    leave = DAG.__exit__

    def count(dag: DAG, *about: object) -> None:
        made.append(len(dag.tasks))
        leave(dag, *about)  # type: ignore[arg-type]

    DAG.__exit__ = count  # type: ignore[assignment, method-assign]
    runpy.run_path(str(ROOT / "dags" / f"{file}.py"))
    return made


def build_plain() -> dict[str, float]:
    """One chain of EmptyOperators per pilot, as long as a journey."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, chain

    pilots = len(list(Path(os.environ["NAMRONG_PILOTS"]).glob("*.yaml")))
    length = executed_once()

    def work() -> dict[str, float]:
        for number in range(pilots):
            with DAG(f"plain_{number}", schedule=None):
                chain(*(EmptyOperator(task_id=f"task_{place}") for place in range(length)))
        return {"dags": pilots, "tasks": pilots * length}

    return timed(work)


def executed_once() -> int:
    """How many tasks one journey has."""
    from onboarding.manifests import load_file
    from onboarding_airflow import pilots

    one = load_file(Path(os.environ["NAMRONG_PILOTS"]) / "p0000.yaml")
    pilots._loaded.cache_clear()
    whole, pilots.load_folder = pilots.load_folder, lambda _: pilots.Loaded({one.id: one}, {})
    (tasks,) = executed("onboard_pilot")
    pilots.load_folder = whole
    pilots._loaded.cache_clear()
    return tasks


MEASURED = {"manifests": read_manifests, "all": build_all, "plain": build_plain, "task": build_for_a_task}

if __name__ == "__main__":
    sys.exit(main())
