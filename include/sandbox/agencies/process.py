"""One process: makes the agencies' servers and folders, says when they are ready, stops them all again."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.agencies import database, folder
from sandbox.agencies.database import Login
from sandbox.agencies.in_use import Program, look_up_of
from sandbox.agencies.profiles import PROFILES, Profile
from sandbox.agencies.sftp import FileServer
from sandbox.agencies.web_front import WebFront
from sandbox.postgres import Cluster

log = logging.getLogger("sandbox.agencies")

AT_ONCE = 2  # pilots made at the same time: each keeps about one core busy
MARK = ".agencies"  # a folder without it is not ours to empty
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    state: Path
    ready: Path
    service_port: int
    subnet: str
    scale: float
    seed: int
    pilots: tuple[str, ...]
    nameserver: str = ""
    """Who knows where the services' names lead; without one no service is in use."""


class Agency:
    """One pilot's server and folder; its passwords exist here and in the ready file only."""

    def __init__(self, profile: Profile, request: Request) -> None:
        self.profile, self.request = profile, request
        self.home = request.state / profile.pilot
        self.shared = self.home / "shared"
        self.files = (self.shared if profile.served else self.home) / profile.folder
        self.file_server: FileServer | None = None
        self.owner = Login(profile.owner, secrets.token_urlsafe(24))
        self.service = Login(profile.service, secrets.token_urlsafe(24))
        self.cluster = Cluster(
            self.home / "pgdata", f"{request.subnet}.{profile.host_octet}", request.service_port, SUPERUSER,
            secrets.token_urlsafe(24), dict(database.WHILE_MAKING),
        )  # fmt: skip

    def make_server(self) -> None:
        """A running server with the agency's database."""
        began = time.monotonic()
        self.cluster.create()
        self.cluster.start()
        database.make(
            self.cluster, self.profile, self.owner, self.service, seed=self.request.seed, scale=self.request.scale
        )
        self.cluster.configure(**database.SETTINGS)
        self.cluster.restart()
        log.info("%s: database %s in %.1f s", self.profile.pilot, self.profile.database, time.monotonic() - began)

    def make_folder(self) -> None:
        """The agency's files, behind an SFTP server if nobody else's machine may mount them."""
        began = time.monotonic()
        count = folder.make(self.files, self.profile, seed=self.request.seed, scale=self.request.scale)
        if self.profile.served:
            self.file_server = FileServer(self.cluster.host, self.shared)
        log.info("%s: %d files in %.1f s", self.profile.pilot, count, time.monotonic() - began)

    def stop(self) -> None:
        """No server of the agency's runs any more."""
        if self.file_server is not None:
            self.file_server.stop()
        self.cluster.stop()

    def programs(self) -> Iterator[Program | WebFront]:
        """What the agency runs beside its database. Raises OSError when the front end's port is taken."""
        if self.profile.in_use and self.request.nameserver:
            login = self._login() | {"options": f"-c search_path={database.WITNESS}"}
            at = self.cluster.host, self.profile.in_use, self.request.nameserver
            yield Program(self.home, login, *at, self.request.seed)
        if self.profile.web:
            leads_to = look_up_of(self.profile.web, self.request.nameserver, self.cluster.host)
            yield WebFront(self.cluster.host, self._login(), leads_to)

    def _login(self) -> dict[str, Any]:
        """The service's own, as libpq takes it, without the host."""
        return {
            "port": self.cluster.port, "dbname": self.profile.database, "user": self.service.user,
            "password": self.service.password,
        }  # fmt: skip

    def names(self) -> Iterator[tuple[str, str]]:
        """What the agency's own DNS says, and where each of its names leads."""
        yield self.profile.name, self.cluster.host
        if self.profile.own_name:
            yield self.profile.own_name, self.profile.name
        if self.profile.web:
            yield self.profile.web_host, self.cluster.host

    def as_json(self) -> dict[str, Any]:
        """Where everything is, passwords included.

        `own_name`: of the service, at the agency's own DNS, if it is not in Route 53. `sftp`: how its files are reached
        when no worker sees them. `program`: the folder of who uses it, if anybody.
        """
        in_use = self.profile.in_use and self.request.nameserver
        return {
            "name": self.profile.name,
            "address": self.cluster.host,
            "own_name": self.profile.own_name,
            "port": self.cluster.port,
            "database": self.profile.database,
            "owner": {"user": self.owner.user, "password": self.owner.password},
            "service": {"user": self.service.user, "password": self.service.password},
            "files": str(self.files.resolve()),
            "sftp": self.file_server.as_json() if self.file_server else None,
            "program": str(self.home.resolve()) if in_use else "",
        }


def serve(request: Request, stop: threading.Event) -> int:
    """Runs until `stop`; gives the exit status. A failure to make one agency ends them all."""
    request.ready.unlink(missing_ok=True)
    try:
        _empty(request.state)
    except FileExistsError as refusal:
        log.error("%s", refusal)
        return 1
    agencies = [Agency(PROFILES[pilot], request) for pilot in request.pilots]
    programs: list[Program | WebFront] = []
    try:
        programs += [program for agency in agencies for program in agency.programs()]
        if not _make(agencies, stop):
            return 0
        _write_ready(request, agencies)
        for program in programs:
            program.start()
        stop.wait()
        return 0
    except Exception:
        log.exception("the agencies could not be made")
        return 1
    finally:
        request.ready.unlink(missing_ok=True)
        for program in programs:
            program.stop()
        for agency in agencies:
            agency.stop()


def _make(agencies: list[Agency], stop: threading.Event) -> bool:
    """Whether all were made before `stop`. Raises what the first failure raised."""
    jobs: list[Callable[[], None]] = [agency.make_server for agency in agencies]
    jobs += [agency.make_folder for agency in agencies]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="make") as executor:
        pending: set[Future[None]] = {executor.submit(job) for job in jobs}
        try:
            while pending and not stop.is_set():
                done, pending = wait(pending, timeout=0.1, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        finally:
            _give_up(pending, agencies)
        return not pending


def _give_up(pending: set[Future[None]], agencies: list[Agency]) -> None:
    """Ends what is under way. A server that is just coming up is stopped when it is there: hence again and again."""
    under_way = {future for future in pending if not future.cancel()}
    while under_way:
        for agency in agencies:
            agency.cluster.stop()
        under_way = wait(under_way, timeout=0.2).not_done


def _empty(state: Path) -> None:
    """An empty folder of ours. Raises FileExistsError rather than empty somebody else's."""
    if state.exists() and any(state.iterdir()):
        if not (state / MARK).exists():
            raise FileExistsError(f"{state} is not empty and was not made by this command: remove it yourself")
        for left_behind in state.glob("*/pgdata"):  # by a process that was killed a moment ago
            Cluster(left_behind, "127.0.0.1", 0, SUPERUSER, "").stop()
        shutil.rmtree(state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / MARK).touch()


def _write_ready(request: Request, agencies: list[Agency]) -> None:
    content = {
        "pid": os.getpid(),
        "seed": request.seed,
        "scale": request.scale,
        "pilots": {agency.profile.pilot: agency.as_json() for agency in agencies},
        "names": dict(name for agency in agencies for name in agency.names()),
    }
    fresh = request.ready.with_name(f".{request.ready.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        json.dump(content, target, ensure_ascii=False, indent=2)
    fresh.replace(request.ready)
