"""`maquette recipes`: what can be trained, shown, copied and described."""

import json

import pytest

from commands import maquette
from maquette.families import available_families
from maquette.recipe import parse_recipe, read_recipe
from maquette.recipes import shipped_recipes

NAMES = list(shipped_recipes())


def test_the_list_names_every_recipe_with_what_it_is_for():
    lines = maquette("recipes", "list").out.splitlines()
    for name in NAMES:
        (line,) = [line for line in lines if line.startswith(f" {name} ")]  # not a wrapped rest
        assert len(line.split()) > 3, line


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_the_file_and_full_spells_it_out(name):
    assert maquette("recipes", "show", name).out == shipped_recipes()[name].read_text()
    full = maquette("recipes", "show", name, "--full").out
    assert parse_recipe(full) == read_recipe(name)
    assert "average_halflife_images" in full


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_opens_with_what_to_expect(name):
    comment = [line for line in shipped_recipes()[name].read_text().splitlines() if line[:1] == "#"]
    said = " ".join(comment).lower()
    assert any(word in said for word in ("second", "minute", "hour")), "say how long it takes"
    assert any(word in said for word in ("score", "fid", "kid", "expect")), "say what to expect"


def test_a_copy_is_the_same_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert maquette("recipes", "copy", "gan", "mine.yaml").code == 0
    assert (tmp_path / "mine.yaml").read_text() == shipped_recipes()["gan"].read_text()
    assert maquette("recipes", "copy", "gan").code == 0
    assert read_recipe("gan.yaml") == read_recipe("gan")


@pytest.mark.parametrize("family", [(), *[(name,) for name in available_families()]])
def test_the_schema_describes_every_setting_a_recipe_has(family):
    schema = json.loads(maquette("recipes", "schema", *family).out)
    for name in NAMES:
        recipe = read_recipe(name)
        if family and recipe.family != family[0]:
            continue
        (model,) = [
            choice["properties"]["model"]
            for choice in schema["oneOf"]
            if choice["properties"]["family"]["const"] == recipe.family
        ]
        content = recipe.model_dump(mode="json")
        assert set(content) <= set(schema["properties"])
        assert set(content["model"]) <= set(model["properties"])
        training = schema["$defs"]["TrainingSettings"]["properties"]
        assert set(content["training"]) <= set(training)
        assert all(setting.get("description") for setting in training.values())


def test_every_reference_in_the_schema_resolves():
    text = maquette("recipes", "schema").out
    schema = json.loads(text)
    references = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert references and references <= set(schema["$defs"])
