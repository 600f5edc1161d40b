"""Airflow's settings for one machine, as one private `airflow.cfg`, and the environment its processes get."""

from __future__ import annotations

import configparser
import io
import os
from collections.abc import Mapping
from pathlib import Path

from launcher.checkout import Checkout, write_private
from launcher.processes import MARK
from launcher.settings import Settings

REGION = "ap-southeast-7"
FROM_CLOUD = {"AWS_ENDPOINT_URL": "aws_endpoint_url", "NAMRONG_NAMESERVER": "nameserver"}


Options = dict[str, dict[str, str]]

# What a journey relies on wherever it runs; docker-compose.yaml must say the same (a test compares).
EVERYWHERE: Options = {
    "core": {
        "load_examples": "False",
        "dags_are_paused_at_creation": "False",
        "auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "killed_task_cleanup_time": "10",
    },
    # A busy machine answers late: the default of 5 s ends tasks that are well.
    "workers": {"execution_api_timeout": "30"},
    "scheduler": {"trigger_timeout_check_interval": "5"},
    "dag_processor": {"refresh_interval": "10", "min_file_process_interval": "30"},
    "logging": {
        "colored_console_log": "False",
        "namespace_levels": "great_expectations=WARNING httpx=WARNING airflow.providers.fab=WARNING",
    },
    "fab": {"cache_ttl": "5"},
}


def options(checkout: Checkout, chosen: Settings, passwords: Mapping[str, str]) -> Options:
    """Section -> option -> value; what is not here is Airflow's default."""
    here = _of_one_machine(checkout, chosen, passwords)
    return {name: EVERYWHERE.get(name, {}) | here.get(name, {}) for name in (EVERYWHERE | here)}


def _of_one_machine(checkout: Checkout, chosen: Settings, passwords: Mapping[str, str]) -> Options:
    database = f"airflow:{passwords['airflow_database']}@127.0.0.1:{chosen.home_port}/airflow"
    return {
        "core": {
            "dags_folder": str(checkout.root / "dags"),
            "plugins_folder": str(checkout.root / "plugins"),
            "executor": "launcher.executor.WatchfulExecutor",
            "parallelism": str(chosen.parallelism),
            "max_active_tasks_per_dag": str(chosen.parallelism),
            "fernet_key": passwords["fernet_key"],
            "execution_api_server_url": f"{chosen.url}/execution/",
        },
        "database": {
            "sql_alchemy_conn": f"postgresql+psycopg2://{database}",
            "sql_alchemy_conn_async": f"postgresql+asyncpg://{database}",
        },
        "api": {
            "host": "127.0.0.1",
            "port": str(chosen.api_port),
            "base_url": chosen.url,
            "workers": "1",
            "secret_key": passwords["api_secret_key"],
            "instance_name": "Namrong นำร่อง (sandbox)",
        },
        "api_auth": {"jwt_secret": passwords["jwt_secret"]},
        # A supervisor that missed its task's end looks again at the next heartbeat: 5 s by default, with the slot held.
        "workers": {"min_heartbeat_interval": "1"},
        "scheduler": {
            "scheduler_idle_sleep_time": "0.5",
            # Each look at a run asks what each of its 50 tasks waits for: not all ten runs in every loop.
            "max_dagruns_per_loop_to_schedule": "4",
            "task_instance_heartbeat_timeout": "30",
            "task_instance_heartbeat_timeout_detection_interval": "5",
            "orphaned_tasks_check_interval": "60",
            "job_heartbeat_sec": "2",
        },
        "triggerer": {"job_heartbeat_sec": "2"},
        "dag_processor": {
            "min_file_process_interval": "120",
            "bundle_refresh_check_interval": "2",
            "parsing_processes": "1",
        },
        "logging": {
            "base_log_folder": str(checkout.logs / "tasks"),
        },
    }


def write(checkout: Checkout, chosen: Settings, passwords: Mapping[str, str]) -> Path:
    """Writes `airflow.cfg`, which holds secrets: mode 0600."""
    parser = configparser.ConfigParser(interpolation=None)
    for section, values in options(checkout, chosen, passwords).items():
        # Airflow reads the file with interpolation.
        parser[section] = {name: value.replace("%", "%%") for name, value in values.items()}
    text = io.StringIO()
    parser.write(text)
    path = checkout.airflow_home / "airflow.cfg"
    write_private(path, text.getvalue())
    return path


def import_path(checkout: Checkout) -> str:
    """PYTHONPATH of every process of ours: Airflow itself adds no `include/`."""
    return os.pathsep.join(str(checkout.root / room) for room in ("include", "plugins"))


def base_environment(checkout: Checkout) -> dict[str, str]:
    """What every process of the run gets: the mark, the import path, and a home inside the checkout."""
    kept = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ") if name in os.environ}
    return {
        "PATH": os.defpath,
        **kept,
        MARK: str(checkout.root),
        "SPT_NOENV": "1",  # setproctitle would write its titles over the environment, and over the mark with it
        "PYTHONPATH": import_path(checkout),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "HOME": str(checkout.run / "home"),
        "TMPDIR": str(checkout.run / "tmp"),
    }


def airflow_environment(checkout: Checkout, cloud: Mapping[str, str], programs: Path) -> dict[str, str]:
    """The environment of Airflow's processes; `cloud` is the sandbox's ready file, `programs` holds pg_dump.

    Nothing secret is in it: passwords are in airflow.cfg and in Airflow's own connections.
    """
    environment = base_environment(checkout)
    return {
        **environment,
        "PATH": os.pathsep.join((str(checkout.python.parent), str(programs), environment["PATH"])),
        "AIRFLOW_HOME": str(checkout.airflow_home),
        "GX_ANALYTICS_ENABLED": "false",
        "OPENBLAS_NUM_THREADS": "1",  # no thread before a fork: see `warm`
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": REGION,
        "NAMRONG_SANDBOX": "1",
        **{variable: cloud[name] for variable, name in FROM_CLOUD.items() if cloud.get(name)},
    }
