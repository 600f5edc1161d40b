"""What one run was asked for, handed from the front to the supervisor and its children as a private file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from launcher.checkout import Checkout, free_port, write_private


@dataclass(frozen=True)
class Settings:
    """Ports are free ones on 127.0.0.1; `scale` multiplies the agencies' generated data."""

    pilots: tuple[str, ...]
    scale: float
    seed: int
    parallelism: int
    api_port: int
    home_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"


def choose(pilots: tuple[str, ...], scale: float, seed: int, parallelism: int) -> Settings:
    """Settings with ports that are free now."""
    return Settings(pilots, scale, seed, parallelism, free_port(), free_port())


def save(settings: Settings, checkout: Checkout) -> None:
    write_private(_path(checkout), json.dumps(asdict(settings)))


def load(checkout: Checkout) -> Settings:
    values = json.loads(_path(checkout).read_text())
    return Settings(**{**values, "pilots": tuple(values["pilots"])})


def _path(checkout: Checkout) -> Path:
    return checkout.run / "settings.json"
