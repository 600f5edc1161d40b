"""What every task needs, read once before the workers are forked: a task is a fork of a worker, and has it too.

Without this a task spent 0.66 s of CPU on reading its DAG file, nearly all of it on imports (Airflow 3.3.2).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from onboarding import stages

ROOMS = ("onboarding", "onboarding_airflow")
"""Our own code, which somebody may edit while all this runs."""

NEEDED = (
    "airflow.dag_processing.dagbag",
    "airflow.sdk.execution_time.task_runner",
    "dns.resolver",
    "great_expectations",
    "jinja2.ext",
    "onboarding_airflow.assets",
    "onboarding_airflow.journey",
    "onboarding_airflow.pilots",
)
"""None of them starts a thread, opens a connection or reads a secret when it is imported: a fork would share it.

(NumPy's algebra library starts threads, unless OPENBLAS_NUM_THREADS is 1: see `airflow_config`.)
"""

SERVICES = (
    *("account", "budgets", "cloudtrail", "config", "ec2", "iam", "identitystore", "kms", "organizations", "rds"),
    *("route53", "s3", "s3control", "secretsmanager", "service-quotas", "sso-admin", "sts"),
)
"""What our tasks ask AWS for; one that is missing here costs time and nothing else."""


def warm() -> Mapping[Path, int]:
    """Reads what is needed; returns when each file of ours was last changed (ns), for `forget_if_changed`."""
    for name in (*NEEDED, *(f"onboarding.stages.{stage.name}" for stage in iter_modules(stages.__path__))):
        import_module(name)
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    from onboarding.aws import Cloud, session
    from onboarding_airflow.pilots import loaded

    # Every Asset of a DAG file asks for them.
    ProvidersManagerTaskRuntime().initialize_providers_asset_uri_resources()  # type: ignore[no-untyped-call]
    if any(files.source and files.source.sftp for one in loaded().manifests.values() for files in one.files):
        import_module("asyncssh")  # 0.3 s and 12 MB, which most programmes do not need
    nowhere = Cloud(session("none", "none"), "us-east-1")
    for service in SERVICES:
        nowhere.client(service)
    return {Path(file): _changed(Path(file)) or 0 for file in _files().values()}


def forget_if_changed(seen: Mapping[Path, int]) -> bool:
    """Drops our own modules when a file of them was edited since: the next task imports them all anew."""
    if all(_changed(file) == then for file, then in seen.items()):
        return False
    for name in _files():
        del sys.modules[name]
    return True


def _files() -> dict[str, str]:
    """The file of each module of ours, by the module's name."""
    ours = {name: module.__file__ for name, module in sys.modules.items() if name.split(".", 1)[0] in ROOMS}
    return {name: file for name, file in ours.items() if file}


def _changed(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
