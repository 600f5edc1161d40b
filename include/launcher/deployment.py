"""The secrets of a deployment in containers: what docker-compose.yaml refuses to start without, made once.

`./namrong secrets` writes them as `.env` beside docker-compose.yaml, which Docker Compose reads by itself.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Iterator, Mapping

from cryptography.fernet import Fernet

from launcher.checkout import Checkout, write_private
from launcher.people import people
from launcher.screen import Screen
from onboarding.manifests import load_folder

# Letters, digits, - and _ only: nothing that a URL, a shell or Compose would read as its own.
MAKERS: dict[str, Callable[[], str]] = {
    "NAMRONG_POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_AIRFLOW_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_CELERY_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_LEDGER_OWNER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_LEDGER_WRITER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
    "NAMRONG_FERNET_KEY": lambda: Fernet.generate_key().decode(),
    "NAMRONG_API_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "NAMRONG_JWT_SECRET": lambda: secrets.token_urlsafe(96),
    "NAMRONG_EXTERNAL_ID_KEY": lambda: secrets.token_urlsafe(48),
    "NAMRONG_LOGIN_PLATFORM": lambda: secrets.token_urlsafe(16),
}
# Every container that meets the sandbox shares the API server's network: the sandbox listens on loopback only.
SANDBOX = {
    "COMPOSE_PROFILES": "sandbox",
    "NAMRONG_NETWORK": "service:api-server",
    "AWS_ENDPOINT_URL": "http://sandbox@127.0.0.1:4566",
    "NAMRONG_NAMESERVER": "127.0.0.1:5353",
}
OK, NOT_SO = 0, 1


def variable_of(login: str) -> str:
    """The environment variable that holds a login's first password."""
    return f"NAMRONG_LOGIN_{login.upper()}"


def passwords(environment: Mapping[str, str]) -> dict[str, str]:
    """As the launcher calls them: `login:<login>`, `ledger_writer`, …; raises KeyError naming what is missing."""
    logins = {
        f"login:{name.removeprefix('NAMRONG_LOGIN_').lower()}": value
        for name, value in environment.items()
        if name.startswith("NAMRONG_LOGIN_") and value
    }
    return {
        "airflow_database": environment["NAMRONG_AIRFLOW_DATABASE_PASSWORD"],
        "celery_database": environment["NAMRONG_CELERY_DATABASE_PASSWORD"],
        "ledger_owner": environment["NAMRONG_LEDGER_OWNER_PASSWORD"],
        "ledger_writer": environment["NAMRONG_LEDGER_WRITER_PASSWORD"],
        "external_id_key": environment["NAMRONG_EXTERNAL_ID_KEY"],
        **logins,
    }


def made(pilots: tuple[str, ...] = ()) -> dict[str, str]:
    """Fresh values for every secret; with `pilots` for the sandbox's switches and everybody's login too."""
    chosen = {name: make() for name, make in MAKERS.items()}
    if pilots:
        logins = (variable_of(person.login) for person in people(pilots))
        chosen |= SANDBOX | {name: chosen.get(name) or secrets.token_urlsafe(12) for name in logins}
    return chosen


def lines(values: Mapping[str, str]) -> Iterator[str]:
    """The file that Docker Compose reads."""
    yield "# Made by `./namrong secrets`. Nobody else's to read; keep a copy of NAMRONG_FERNET_KEY and"
    yield "# NAMRONG_EXTERNAL_ID_KEY where you keep keys: without them connections and roles cannot be opened again."
    yield from (f"{name}={value}" for name, value in values.items())


def command(asked: argparse.Namespace) -> int:
    """Writes the file, readable by its owner alone; 1 when there is one: secrets in use are not replaced by chance."""
    checkout, screen = Checkout(), Screen(asked.lang)
    path = asked.file or checkout.root / ".env"
    if path.exists():
        screen.say("secrets_there", file=path)
        return NOT_SO
    pilots = tuple(load_folder(checkout.pilots()).manifests) if asked.sandbox else ()
    write_private(path, "\n".join(lines(made(pilots))) + "\n")
    screen.say("secrets_made", file=path)
    return OK
