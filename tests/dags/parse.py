"""What Airflow makes of the dags folder, as JSON on stdout: one process, one fork per folder of manifests.

`python parse.py FOLDER...` with AIRFLOW_HOME set. While a folder is parsed, everything is refused that parsing must
not do; what was tried is written down, because the parser would swallow some of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
SLOW_IMPORTS = ("great_expectations", "pandas", "moto")


def main(folders: list[str]) -> None:
    import airflow.sdk  # noqa: F401  (once, for all forks)

    for folder in folders:
        reading, writing = os.pipe()
        if not os.fork():
            os.close(reading)
            with os.fdopen(writing, "w") as out:
                json.dump(parsed(folder), out, ensure_ascii=False)
                out.flush()
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            print(told.read(), flush=True)
        os.wait()


def parsed(folder: str) -> dict[str, Any]:
    """DAGs, import errors and forbidden deeds of the dags folder with these manifests."""
    tried: list[str] = []
    forbid(tried)
    os.environ["NAMRONG_PILOTS"] = folder
    sys.path.insert(0, str(ROOT / "dags"))
    from airflow.dag_processing.dagbag import DagBag

    began = time.monotonic()
    bag = DagBag(ROOT / "dags")
    seconds = time.monotonic() - began
    return {
        "import_errors": {Path(file).name: told for file, told in bag.import_errors.items()},
        "dags": {name: described(dag) for name, dag in bag.dags.items()},
        "tried": tried,
        "seconds": seconds,
    }


def described(dag: Any) -> dict[str, Any]:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk.definitions.mappedoperator import MappedOperator
    from airflow.serialization.serialized_objects import DagSerialization

    return {
        "edges": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "mapped": [task.task_id for task in dag.tasks if isinstance(task, MappedOperator)],
        "at_a_time": {
            task.task_id: task.max_active_tis_per_dagrun for task in dag.tasks if isinstance(task, MappedOperator)
        },
        "documented": {task.task_id: bool(task.doc_md) for task in dag.tasks},
        "retries": {task.task_id: task.retries for task in dag.tasks},
        "weights": {
            # as the scheduler weighs a task instance, of which it asks for nothing but the task
            task.task_id: task.weight_rule.get_weight(SimpleNamespace(task=task))
            for task in DagSerialization.from_dict(DagSerialization.to_dict(dag)).tasks
        },
        "kinds": {task.task_id: task.task_type for task in dag.tasks},
        "outlets": {task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks if task.outlets},
        "access": {
            role: {what: sorted(may) for what, may in held.items()} for role, held in dag.access_control.items()
        },
        # What Airflow compares to decide whether this is a new version of the DAG.
        "version": SerializedDagModel.hash(serialized := DagSerialization.to_dict(dag)),
        # Every list in its order, which is more than Airflow asks: it sorts them before it compares.
        "content": hashlib.sha256(json.dumps(serialized, sort_keys=True).encode()).hexdigest(),
    }


def forbid(tried: list[str]) -> None:
    """From here on a secret, a variable, a cloud client, a connection to anywhere raises and is noted."""
    import boto3
    from airflow.models.connection import Connection as StoredConnection
    from airflow.models.variable import Variable as StoredVariable
    from airflow.sdk import Connection, Variable

    def refused(what: str) -> Any:
        def refuse(*_: object, **__: object) -> NoReturn:
            tried.append(what)
            raise RuntimeError(f"{what} while parsing")

        return refuse

    for owner, name in (
        (Variable, "get"), (Connection, "get"), (StoredVariable, "get"),
        (StoredConnection, "get_connection_from_secrets"), (boto3.Session, "client"), (boto3.Session, "resource"),
    ):  # fmt: skip
        setattr(owner, name, staticmethod(refused(f"{owner.__module__}.{owner.__name__}.{name}")))

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            refused(f"{event} {arguments[1:]}")()
        if event == "import" and arguments[0].split(".")[0] in SLOW_IMPORTS:
            tried.append(f"import {arguments[0]}")

    sys.addaudithook(listen)


if __name__ == "__main__":
    main(sys.argv[1:])
