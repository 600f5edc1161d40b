"""The manifest's reference says what the model says, and its schema agrees with the model about real manifests."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from launcher import manifest_docs
from onboarding.manifest import Manifest

ROOT = Path(__file__).parents[2]
PILOTS = sorted((ROOT / "include" / "pilots").glob("*.yaml"))


class CoreLoader(yaml.SafeLoader):
    """As an editor reads YAML 1.2: a date is text."""


CoreLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def problems(manifest: dict) -> list[str]:
    checker = jsonschema.Draft202012Validator(json.loads(manifest_docs.schema()))
    return sorted(".".join(map(str, problem.absolute_path)) for problem in checker.iter_errors(manifest))


def read(path: Path) -> dict:
    return yaml.load(path.read_text(encoding="utf-8"), CoreLoader)  # noqa: S506  (a SafeLoader)


@pytest.mark.parametrize("path", PILOTS, ids=lambda path: path.stem)
def test_the_schema_takes_each_sample_and_each_sample_names_it(path):
    source = path.read_text(encoding="utf-8")
    assert problems(read(path)) == []
    named = source.splitlines()[0].partition("$schema=")[2]
    assert (path.parent / named).resolve() == ROOT / "docs/manifest.schema.json"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda m: m.update(regoin="x"), ""),
        (lambda m: m.pop("soak"), ""),
        (lambda m: m.update(id="p๐๒"), "id"),
        (lambda m: m["databases"][0].update(engine="dms"), "databases.0.engine"),
        (lambda m: m["account"].update(monthly_budget_usd=0), "account.monthly_budget_usd"),
        (lambda m: m["cutover"]["window"].update(opens="22:00+07:00"), "cutover.window.opens"),
    ],
)
def test_the_schema_refuses_what_the_model_refuses(change, where):
    manifest = read(PILOTS[0])
    change(manifest)
    assert problems(manifest) == [where]
    with pytest.raises(ValueError, match=r"validation error"):
        Manifest.model_validate(manifest)


def test_every_field_of_every_part_stands_in_the_page():
    page, model = manifest_docs.page(), Manifest.model_json_schema(by_alias=True)
    for part in (model, *model["$defs"].values()):
        for field in part["properties"]:
            assert f"\n| `{field}` |" in page
    for name in model["$defs"]:
        assert page.count(f"\n## {name}\n") == 1
