"""Two servers for all tests of this folder; a fresh service on them for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conftest import free_port
from following_servers import Pair, Servers, make_pair, take_away, two_servers
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with two_servers(tmp_path_factory.mktemp("following"), free_port(), log_statement="ddl") as both:
        yield both


@pytest.fixture
def make(servers: Servers) -> Iterator[Callable[[str], Pair]]:
    """`make(script)`: a service; whatever the test leaves of its slots and subscriptions is taken away."""
    made: list[Pair] = []

    def one(script: str) -> Pair:
        made.append(make_pair(servers, script))
        return made[-1]

    yield one
    for pair in made:
        take_away(servers, pair)
