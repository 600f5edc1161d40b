"""From Airflow's Connections and Variables to the plain values the domain is handed. Read in a running task only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from airflow.sdk import Connection, Variable, get_parsing_context

from onboarding.addresses import Database
from onboarding.approvals import Person
from onboarding.aws import Cloud, session
from onboarding.files_access import FilesAccess, place_of
from onboarding.ledger import Ledger
from onboarding.look_ups import Resolver, resolver
from onboarding.manifest import Manifest
from onboarding.manifests import Loaded, load_folder
from onboarding.stages.pilot import Login, Pilot, Settings, utc_now

PILOTS = Path(os.environ.get("NAMRONG_PILOTS") or Path(__file__).resolve().parents[2] / "include" / "pilots")
MANAGEMENT = "namrong_management"
LEDGER = "namrong_ledger"
SECRETS = "namrong_secrets"
SETTINGS = "namrong_settings"
PEOPLE = "namrong_people"

Value = TypeVar("Value")


def loaded() -> Loaded:
    """The manifests of the pilots folder as they are now: the triggerer lives longer than a manifest stays the same."""
    found = ((file.name, file.lstat()) for file in sorted(PILOTS.glob("*.yaml")))
    return _loaded(tuple((name, seen.st_mtime_ns, seen.st_size, seen.st_ino) for name, seen in found))


@lru_cache(maxsize=1)
def _loaded(as_of: object) -> Loaded:  # noqa: ARG001  (what the folder looked like)
    return load_folder(PILOTS)


def to_build(dag_id: Callable[[Manifest], str]) -> Iterator[Manifest]:
    """The manifests whose DAG of that name is asked for: all of them, but in a task's own process only the task's."""
    asked = get_parsing_context().dag_id
    return (manifest for manifest in loaded().manifests.values() if asked in (None, dag_id(manifest)))


class WhenAsked(Mapping[str, Value]):
    """A value per name, made when it is asked for: most tasks ask for none, and each costs Airflow a request."""

    def __init__(self, names: Sequence[str], make: Callable[[str], Value]) -> None:
        self._names, self._make = names, make

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def open_pilot(pilot_id: str, run: str = "", requester: str = "") -> Pilot:
    """Everything the journey of one pilot is handed, from the Connections of this deployment."""
    manifest = loaded().manifests[pilot_id]
    nameserver = os.environ.get("NAMRONG_NAMESERVER")
    resolve = resolver(nameserver)

    @cache
    def source(workload: str) -> Connection:
        found: Connection = Connection.get(manifest.connection_id(workload))
        return found

    databases = [workload.name for workload in manifest.databases]
    files = {workload.name: workload for workload in manifest.files}
    return Pilot(
        manifest=manifest,
        others=tuple(other for other in loaded().manifests.values() if other.id != pilot_id),
        ledger=open_ledger(resolve),
        management=_management(manifest),
        settings=_settings(),
        resolve=resolve,
        sources=WhenAsked(databases, lambda name: _database(source(name), resolve)),
        services=WhenAsked(databases, lambda name: _service(source(name))),
        folders=WhenAsked([*files], lambda name: place_of(files[name], _files(source(name)), manifest.region, resolve)),
        run=run,
        requester=requester,
        own_names=nameserver is not None,
    )


def open_ledger(resolve: Resolver | None = None) -> Ledger:
    """The programme's ledger, with the role that may only INSERT and SELECT."""
    return Ledger(_database(Connection.get(LEDGER), resolve or resolver(os.environ.get("NAMRONG_NAMESERVER"))), utc_now)


def people() -> Mapping[str, Person]:
    """Who may answer what, by login; the ids are the auth manager's."""
    table: dict[str, dict[str, Any]] = Variable.get(PEOPLE, deserialize_json=True)
    return {
        login: Person(id=entry["id"], login=login, name=entry["name"], roles=tuple(entry["roles"]))
        for login, entry in table.items()
    }


def _database(connection: Connection, resolve: Resolver) -> Database:
    return Database(
        host=str(connection.host),
        port=int(connection.port or 5432),
        name=str(connection.schema),
        user=str(connection.login),
        password=str(connection.password),
        resolve=resolve,
    )


def _service(connection: Connection) -> Login:
    return Login(connection.extra_dejson["service_user"], connection.extra_dejson["service_password"])


def _files(connection: Connection) -> FilesAccess:
    """Extras bear the names that Airflow's own connections of these types give them."""
    extra = connection.extra_dejson
    return FilesAccess(
        path=extra.get("path", ""),
        user=connection.login or "",
        password=connection.password or "",
        key=extra.get("private_key", ""),
        token=extra.get("aws_session_token", ""),
        host_key=extra.get("host_key", ""),
        port=int(connection.port) if connection.port else None,
    )


def _management(manifest: Manifest) -> Cloud:
    connection = Connection.get(MANAGEMENT)
    return Cloud(session(connection.login, connection.password), manifest.region)


def _settings() -> Settings:
    chosen: dict[str, Any] = Variable.get(SETTINGS, deserialize_json=True)
    return Settings(external_id_key=str(Connection.get(SECRETS).password), **chosen)
