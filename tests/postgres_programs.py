"""The wheel's pg_dump and pg_restore, for every test of the folder whose conftest imports the fixture."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.postgres import bin_dir


@pytest.fixture(scope="session", autouse=True)
def postgres_programs() -> Iterator[None]:
    """They come first on the path, until the session ends."""
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{before}"
    yield
    os.environ["PATH"] = before
