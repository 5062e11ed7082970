"""Recipes as data: read, overridden, written, and refused in a sentence."""

import re
import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commands import TINY
from maquette.core.errors import MaquetteError, SettingsError
from maquette.recipe import Recipe, json_schema, parse_recipe, read_recipe, to_yaml
from maquette.recipes import shipped_recipes


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("training.optimizer.learning_rate=1e-3", lambda r: r.training.optimizer.learning_rate),
        ("training.optimizer.betas=[0.5,0.001]", lambda r: list(r.training.optimizer.betas)),
        ("training.optimizer.clip=null", lambda r: r.training.optimizer.clip),
        ("training.seed=7", lambda r: r.training.seed),
        ("data.mirror=true", lambda r: r.data.mirror),
        ("name=other", lambda r: r.name),
        ("model.r1=0", lambda r: r.model.r1),
        ("callbacks.trackers=[]", lambda r: list(r.callbacks.trackers)),
        ("training.players.generator.turns=2", lambda r: r.training.for_player("generator").turns),
    ],
)
def test_any_setting_can_be_overridden(override, read):
    wanted = {"1e-3": 0.001}.get(value := override.split("=")[1], yaml.safe_load(value))
    assert read(parse_recipe(TINY, [override])) == wanted


def test_a_dict_replaces_a_schedule_and_later_overrides_win():
    recipe = parse_recipe(
        TINY,
        [
            "training.optimizer.schedule={kind: cosine, final: 0.1}",
            *("training.seed=1", "training.seed=2"),
        ],
    )
    assert recipe.training.optimizer.schedule.kind == "cosine"
    assert recipe.training.optimizer.schedule.final == 0.1
    assert recipe.training.seed == 2


SCHEDULES = {
    "constant": {},
    "linear_decay": {"start": 0.25},
    "cosine": {"final": 0.125},
    "phases": {"phases": [{"learning_rate": 0.25, "epochs": 2.0}]},
    "table": {"rows": [{"from_epoch": 0.0, "learning_rate": 0.5}]},
}


@given(st.sampled_from([*SCHEDULES]), st.sampled_from([*SCHEDULES]), st.booleans(), st.booleans())
def test_another_kind_of_schedule_leaves_nothing_of_the_one_before(before, after, whole, player):
    """Given as one value or a setting at a time; what both kinds have stays as it was."""
    place = "players.generator" if player else "optimizer"
    raw = yaml.safe_load(TINY)
    raw["training"] |= {"players": {"generator": {}}, "optimizer": {}}
    part = raw["training"]["players"]["generator"] if player else raw["training"]["optimizer"]
    part["schedule"] = {"kind": before, "warmup_images": 7} | SCHEDULES[before]
    change = {"kind": after} | SCHEDULES[after]
    path = f"training.{place}.schedule"
    apart = [
        f"{path}.{name}={yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}"
        for name, value in change.items()
    ]
    overrides = [f"{path}={yaml.safe_dump(change, default_flow_style=True)}"] if whole else apart
    training = parse_recipe(yaml.safe_dump(raw), overrides).training
    schedule = training.for_player("generator").schedule.model_dump(mode="json")
    assert schedule == change | {"warmup_images": 7}


def test_what_an_override_itself_gives_a_wrong_kind_is_refused():
    with pytest.raises(SettingsError, match=r"unknown setting .*schedule\.start"):
        read_recipe("gan", ["training.optimizer.schedule={kind: cosine, start: 0.5}"])


def test_players_differ_from_the_optimizer_only_where_they_say():
    recipe = parse_recipe(
        TINY,
        ["training.optimizer.epsilon=0.25", "training.players.generator.learning_rate=0.5"],
    )
    generator = recipe.training.for_player("generator")
    assert (generator.epsilon, generator.learning_rate) == (0.25, 0.5)
    assert recipe.training.for_player("discriminator") == recipe.training.optimizer


def test_the_published_plans_for_monets_can_be_chosen_as_the_header_says():
    """Epochs and rates of the four scenarios, in the order of the header."""
    text = shipped_recipes()["monet-dualhead"].read_text()
    chosen = [[], *([plan] for plan in re.findall(r'^#   --set "(\S+=\[.*\])"$', text, re.M))]
    recipes = [read_recipe("monet-dualhead", overrides) for overrides in chosen]
    three, five = [2e-4, 1e-4, 1e-5], [2e-4, 1e-4, 5e-5, 2.5e-5, 1e-5]
    plans = [
        [(p.epochs, p.learning_rate) for p in r.training.optimizer.schedule.phases] for r in recipes
    ]
    assert plans == [
        list(zip((300, 200, 100), three, strict=True)),
        list(zip((400, 100, 100), three, strict=True)),
        list(zip((200, 200, 200, 200, 200), five, strict=True)),
        list(zip((400, 300, 200, 200, 200), five, strict=True)),
    ]
    assert recipes[3].training.planned_steps(300) == 1300 * 300


def test_the_shorter_plan_for_styles_can_be_chosen_as_the_header_says():
    (line,) = re.findall(r"^#   (--set .*)$", shipped_recipes()["artgan"].read_text(), re.M)
    plan = read_recipe("artgan", shlex.split(line)[1::2]).training
    rows = [(row.from_epoch, row.learning_rate) for row in plan.optimizer.schedule.rows]
    assert (plan.epochs, rows) == (100, [(0, 1e-3), (80, 1e-4)])


def test_a_recipe_survives_writing_and_reading():
    recipe = parse_recipe(TINY, ["training.players.generator.schedule={kind: linear_decay}"])
    assert parse_recipe(to_yaml(recipe)) == recipe


def test_a_recipe_cannot_be_changed_by_accident():
    recipe = parse_recipe(TINY)
    with pytest.raises(ValueError, match="frozen"):
        recipe.name = "other"
    assert recipe.with_training(steps=3).training.steps == 3
    assert recipe.training.steps != 3


def test_a_recipe_without_model_settings_takes_the_familys_own():
    recipe = parse_recipe("name: x\nfamily: gan\ntraining: {steps: 1}\n")
    assert recipe.model.network == "residual"


@pytest.mark.parametrize("missing", ["name", "family", "training"])
def test_what_is_missing_is_named(missing):
    raw = {k: v for k, v in yaml.safe_load(TINY).items() if k != missing}
    with pytest.raises(SettingsError, match=f"^mine: {missing}"):
        parse_recipe(yaml.safe_dump(raw), source="mine")


@given(st.text(max_size=30))
def test_any_override_is_read_or_refused_in_a_sentence(text):
    try:
        assert isinstance(parse_recipe(TINY, [text]), Recipe)
    except MaquetteError as error:
        assert str(error)


KEYS = st.sampled_from(["training", "model", "steps", "optimizer", "schedule", "kind", "x", "0"])
VALUES = st.one_of(
    st.text(alphabet="[]{}:,0a1-.$'\" ", max_size=8),
    st.sampled_from(["null", "{}", "[]", "1e-3", "true", ".nan", "{kind: phases}", "2020-01-01"]),
)


@given(st.lists(KEYS, min_size=1, max_size=4), VALUES)
def test_any_value_anywhere_is_read_or_refused_in_a_sentence(keys, value):
    try:
        assert isinstance(parse_recipe(TINY, [f"{'.'.join(keys)}={value}"]), Recipe)
    except MaquetteError as error:
        assert str(error)


@given(st.text(max_size=60))
def test_any_text_is_a_recipe_or_refused_in_a_sentence(text):
    with pytest.raises(MaquetteError, match=r"^mine"):
        parse_recipe(text, source="mine")


def test_the_schema_knows_the_families_and_what_is_required():
    schema = json_schema()
    assert "gan" in schema["properties"]["family"]["enum"]
    assert set(schema["required"]) == {"name", "family", "training"}
    assert schema["additionalProperties"] is False
