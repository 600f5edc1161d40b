"""Reading manifests: a good one becomes a `Manifest`, a bad one says file, line, field, found, expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onboarding import checked_yaml
from onboarding.checked_yaml import BadFile as BadManifest
from onboarding.checked_yaml import Problem
from onboarding.manifest import Manifest

__all__ = ["BadManifest", "Loaded", "Problem", "load_file", "load_folder", "parse"]


@dataclass(frozen=True)
class Loaded:
    """What a folder held: the good manifests by id, and the problems of the others."""

    manifests: Mapping[str, Manifest]
    bad: Mapping[str, BadManifest]


def load_folder(folder: Path) -> Loaded:
    """Every `*.yaml` of a folder, in order of name. A bad file stops nothing else."""
    good: dict[str, Manifest] = {}
    bad: dict[str, BadManifest] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            manifest = load_file(path)
            if manifest.id in good:
                raise BadManifest([Problem(path.name, 0, "id", manifest.id, "id_taken")])
            good[manifest.id] = manifest
        except BadManifest as problem:
            bad[path.name] = problem
    return Loaded(good, bad)


def load_file(path: Path) -> Manifest:
    """The manifest in one file, at the price of reading at most 256 KiB. Raises BadManifest."""
    return checked_yaml.load(path, Manifest)


def parse(source: str, name: str) -> Manifest:
    """The manifest in a text; `name` is what problems call it. Raises BadManifest."""
    return checked_yaml.parse(source, name, Manifest)
