"""docker-compose.yaml and Dockerfile: valid, closed by default, and of one mind with the launcher and with Airflow."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from compose_file import FILE, RequiredVariableMissing, demanded, services, texts, written

from launcher import deployment
from launcher.airflow_config import EVERYWHERE, import_path
from launcher.checkout import ROOT, Checkout
from onboarding_airflow.journey import LOAD_DEADLINE
from sandbox.__main__ import _arguments as sandbox_arguments
from sandbox.agencies.__main__ import _arguments as agencies_arguments

PROGRAMS = Path(sys.prefix) / "bin"
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "worker-1", "worker-2", "init")
WORKERS = ("worker-1", "worker-2")
END_BY_THEMSELVES = {"init", "sandbox-setup"}
FILLED = deployment.made(("p02",))


def run(*command: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def changed(tmp_path: Path, before: str, after: str) -> Path:
    """A copy of docker-compose.yaml with one thing changed."""
    text = FILE.read_text(encoding="utf-8")
    assert before in text
    copy = tmp_path / FILE.name
    copy.write_text(text.replace(before, after, 1), encoding="utf-8")
    return copy


def schema(file: Path) -> subprocess.CompletedProcess[str]:
    """The Compose Specification's own JSON schema, as the wheel of check-jsonschema carries it."""
    return run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    rules = ROOT / ".compose-lint.yml"
    return run(PROGRAMS / "compose-lint", "--config", rules, "--fail-on", "low", file)


def test_it_is_a_compose_file() -> None:
    assert schema(FILE).returncode == 0, schema(FILE).stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [("    restart: \"no\"", "    restarts: \"no\""), ("condition: service_healthy", "condition: healthy"),
     ("    shm_size: 256m", "    shm_size: [256m]")],
)  # fmt: skip
def test_the_schema_sees_what_is_wrong(tmp_path: Path, before: str, after: str) -> None:
    assert schema(changed(tmp_path, before, after)).returncode == 1


def test_nothing_is_open_that_need_not_be() -> None:
    assert lint(FILE).returncode == 0, lint(FILE).stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [("127.0.0.1:${NAMRONG_PORT", "${NAMRONG_PORT"), ("  cap_drop: [ALL]\n", ""), ("  read_only: true\n", ""),
     ("    shm_size: 256m\n", "    privileged: true\n")],
)  # fmt: skip
def test_the_linter_sees_what_is_open(tmp_path: Path, before: str, after: str) -> None:
    assert lint(changed(tmp_path, before, after)).returncode == 1


def test_the_image_is_made_well(tmp_path: Path) -> None:
    assert run(PROGRAMS / "hadolint", ROOT / "Dockerfile").returncode == 0
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM python\nRUN cd /tmp && apt-get install curl\n")
    assert run(PROGRAMS / "hadolint", careless).returncode == 1


def test_the_image_holds_the_lock_and_runs_as_nobody_in_particular() -> None:
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")[1:]
    named = {stage.splitlines()[0].rsplit(" AS ", 1)[1]: stage for stage in stages}
    for name in ("airflow", "sandbox"):
        assert re.findall(r"^USER (.*)$", named[name], re.MULTILINE) == ["50000:0"]
    assert all("--require-hashes" in line for stage in stages for line in stage.splitlines() if "pip install" in line)
    assert "/opt/namrong/include:/opt/namrong/plugins" in named["base"]
    for image in ("airflow", "sandbox"):
        copied = {line.split()[1] for line in named[image].splitlines() if re.match(r"COPY (?!--)", line)}
        assert copied == {"dags", "plugins", "include"}


def test_only_what_the_image_needs_is_sent_to_its_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {line for line in rules if line.startswith("!")} == {
        "!requirements.txt", "!requirements-local.txt", "!dags", "!plugins", "!include",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(deployment.MAKERS))
def test_it_refuses_to_start_without_a_secret(name: str) -> None:
    for value in ({}, {name: ""}):
        with pytest.raises(RequiredVariableMissing, match=name):
            services({**{other: text for other, text in FILLED.items() if other != name}, **value})


def test_the_secrets_that_are_demanded_are_those_that_are_made_and_explained() -> None:
    assert demanded() == set(deployment.MAKERS)
    example = (ROOT / ".env.example").read_text()
    assert re.findall(r"^([A-Z0-9_]+)=(.*)$", example, re.MULTILINE) == [(name, "") for name in deployment.MAKERS]


def test_no_secret_stands_in_the_file_or_on_a_command_line() -> None:
    named = re.compile(r"(PASSWORD|SECRET|KEY|TOKEN)", re.IGNORECASE)
    for name, service in written()["services"].items():
        for key, value in (service.get("environment") or {}).items():
            if named.search(key) or ("://" in str(value) and "@" in str(value)):
                assert re.search(r"\$\{NAMRONG_[A-Z_]+:\?", str(value)), (name, key)
    for name, service in services(FILLED).items():
        # What a shell reads from a here-document is on its own command line: there it is a variable's name.
        words = list(texts([service.get("command", []), service.get("healthcheck", {})]))
        assert not [word for word in words for secret in FILLED.values() if len(secret) > 15 and secret in word], name


def test_every_service_tells_how_it_is_or_ends() -> None:
    told = {name for name, service in services(FILLED).items() if "healthcheck" in service}
    ending = {name for name, service in services(FILLED).items() if service["restart"] == "no"}
    assert ending == END_BY_THEMSELVES
    assert told == services(FILLED).keys() - END_BY_THEMSELVES


def test_every_service_has_limits_and_is_started_again() -> None:
    for name, service in services(FILLED).items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert service["restart"] == ("no" if name in END_BY_THEMSELVES else "unless-stopped"), name
        assert service["read_only"] is True, name


def test_what_is_published_is_for_this_machine_only() -> None:
    published = [port for service in services(FILLED).values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8080:8080"]


def settings_of(name: str) -> dict[str, Any]:
    return dict(services(FILLED)[name]["environment"])


@pytest.mark.parametrize("name", AIRFLOW)
def test_its_settings_are_the_launchers(name: str) -> None:
    said = settings_of(name)
    for section, values in EVERYWHERE.items():
        for option, value in values.items():
            assert said.get(f"AIRFLOW__{section}__{option}".upper()) == value, (section, option)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_holds_neither_the_metadata_nor_a_key(name: str) -> None:
    known = {FILLED[secret] for secret in deployment.MAKERS if secret not in (
        "NAMRONG_REDIS_PASSWORD", "NAMRONG_CELERY_DATABASE_PASSWORD")}  # fmt: skip
    assert not [key for key, value in settings_of(name).items() for secret in known if secret in value]


def test_the_superusers_password_is_for_the_server_and_the_jobs_that_set_up() -> None:
    password = FILLED["NAMRONG_POSTGRES_PASSWORD"]
    holders = {name for name in services(FILLED) if any(password in text for text in texts(settings_of(name)))}
    assert holders == {"postgres", "init", "sandbox-setup"}


def test_two_workers_take_what_they_can_run_and_nothing_is_given_out_twice() -> None:
    said = settings_of("scheduler")
    slots = sum(int(settings_of(name)["AIRFLOW__CELERY__WORKER_CONCURRENCY"]) for name in WORKERS)
    assert int(said["AIRFLOW__CORE__PARALLELISM"]) == slots
    assert said["AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER"] == "1"
    assert said["AIRFLOW__CELERY__TASK_ACKS_LATE"] == "True"
    visible = int(said["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])
    assert visible > LOAD_DEADLINE.total_seconds()
    assert {key: value for key, value in settings_of("worker-1").items() if "CELERY" in key} == {
        key: value for key, value in said.items() if "CELERY" in key
    }


def test_the_two_workers_differ_by_name_only() -> None:
    first, second = (services(FILLED)[name] for name in WORKERS)
    assert first != second
    assert json.loads(json.dumps(second).replace("worker-2", "worker-1")) == first


def test_airflow_knows_the_commands_and_the_settings(tmp_path: Path) -> None:
    all_of_them = services(FILLED)
    commands = [service["command"] for service in all_of_them.values() if service.get("command", [""])[0] == "airflow"]
    names = {key for name in AIRFLOW for key in settings_of(name) if key.startswith("AIRFLOW__")}
    assert len(commands) == 6 and len(names) > 30

    def ask(commands: Sequence[Sequence[str]], names: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, Path(__file__).with_name("airflow_knows.py")],
            input=json.dumps({"commands": commands, "settings": names}),
            env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": import_path(Checkout())},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    answer = ask(commands, [*sorted(names), "AIRFLOW__CELERY__WORKER_CONCURENCY"])
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout.splitlines()[-1]) == ["AIRFLOW__CELERY__WORKER_CONCURENCY"]


def test_every_command_is_of_a_program_that_the_image_has() -> None:
    for name, service in services(FILLED).items():
        checked = service.get("healthcheck", {}).get("test", ["CMD"])[1:]
        for command in filter(None, (service.get("command"), checked)):
            if name in ("postgres", "redis"):
                continue  # another image's; the run of the distributed test starts the same server
            program, *arguments = command
            assert program == "test" or (PROGRAMS / program).exists(), (name, program)
            if arguments[:1] == ["-m"]:
                assert importlib.util.find_spec(arguments[1]) is not None, (name, arguments)


def test_the_sandbox_and_the_agencies_take_their_arguments_and_agree() -> None:
    all_of_them = services(FILLED)
    cloud = sandbox_arguments(all_of_them["sandbox"]["command"][3:])
    agencies = agencies_arguments(all_of_them["agencies"]["command"][3:])
    assert (cloud.subnet, cloud.service_port) == (agencies.subnet, agencies.service_port)
    assert deployment.SANDBOX["AWS_ENDPOINT_URL"] == f"http://sandbox@127.0.0.1:{cloud.port}"
    assert deployment.SANDBOX["NAMRONG_NAMESERVER"] == f"127.0.0.1:{cloud.names_port}"


def test_with_the_sandbox_all_who_meet_it_share_its_loopback() -> None:
    def networks(switches: dict[str, str]) -> dict[str, str]:
        return {name: service.get("network_mode", "") for name, service in services(switches).items()}

    met = {"worker-1", "worker-2", "triggerer", "sandbox", "agencies", "sandbox-setup"}
    assert {name for name, mode in networks(FILLED).items() if mode == "service:api-server"} == met
    real = networks(deployment.made())
    assert {name for name, mode in real.items() if mode} == {"sandbox", "agencies", "sandbox-setup"}
    assert "AWS_ENDPOINT_URL" not in services(deployment.made())["worker-1"]["environment"]


def test_secrets_are_written_once_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    command = (sys.executable, "-m", "launcher", "secrets", "--sandbox", "--file", str(file))

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": import_path(Checkout())},
            capture_output=True,
            text=True,
            check=False,
        )

    made = call()
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text()
    values = dict(line.split("=", 1) for line in first.splitlines() if not line.startswith("#"))
    assert values.keys() >= deployment.MAKERS.keys() | deployment.SANDBOX.keys()
    secret = [value for name, value in values.items() if name not in deployment.SANDBOX]
    assert len(set(secret)) == len(secret) and min(map(len, secret)) >= 16
    assert not any(value in made.stdout for value in secret)
    services(values)
    assert call().returncode == 1
    assert file.read_text() == first


def test_git_never_sees_the_file_with_secrets() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    assert run("git", "check-ignore", ".env").returncode == 0
    assert run("git", "check-ignore", ".env.example").returncode == 1
