"""A recipe: everything one run needs, as data. Each layer owns its settings; this composes them.

YAML in, validated and immutable out. A misspelt name is refused with the nearest right one, and one
generic override, `training.steps=500`, reaches every setting there is.
"""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializeAsAny,
    ValidationError,
    field_validator,
)

from maquette.core.errors import SettingsError, unknown_name
from maquette.core.settings import Settings
from maquette.data.settings import DataSettings
from maquette.families import available_families, family_class
from maquette.recipes import recipe_text
from maquette.training.schedules import Schedule
from maquette.training.settings import TrainingSettings


class CallbackSettings(Settings):
    """What happens while training, and how often."""

    checkpoint_every_steps: PositiveInt = 500
    """Steps between checkpoints that can be judged; the newest two and the best are kept."""
    checkpoint_every_seconds: PositiveFloat = 60.0
    """Longest time between checkpoints: at most this much work is lost at a cut."""
    preview_every_images: PositiveInt = 16_000
    """Images between preview grids."""
    preview_pictures: int = Field(default=64, ge=1, le=400)
    """Pictures in a preview grid, from fixed seeds."""
    history_every_steps: PositiveInt = 10
    """Steps between lines of history.jsonl."""
    score_pictures: NonNegativeInt = 256
    """Generated pictures compared with real ones at each judged checkpoint; 0 switches it off."""
    score_every_images: PositiveInt | None = None
    """Images between scores, to the nearest checkpoint that can be judged; null scores them all."""
    score_share: float = Field(default=0.05, gt=0, le=1)
    """Most of the training time that scores may take: past it, fewer are taken (the first and the
    last always). Then the clock decides which steps have a score, and so which of them is served
    and when `patience_images` ends; 1 switches it off. The weights at a step never depend on it."""
    patience_images: PositiveInt | None = None
    """End early when the score has not improved by 1 % for so many images (judged at least three
    times among them); null never does. Scores from before a model knows all that it is to know,
    such as a diffusion model's jumps, do not count."""
    trackers: tuple[str, ...] = ()
    """Experiment trackers to report to: tensorboard, wandb, trackio (installed separately)."""


class Recipe(Settings):
    """What to train, on what, and how."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Name of the recipe; a run is called after it."""
    family: str
    """Which model family: the name of a file in maquette/families."""
    model: SerializeAsAny[Settings] = Field(default_factory=dict, validate_default=True)
    """Settings of the family."""
    data: DataSettings = DataSettings()
    """How pictures are shown to the family."""
    training: TrainingSettings
    """How it learns."""
    callbacks: CallbackSettings = CallbackSettings()
    """What happens while it learns."""

    @field_validator("family")
    @classmethod
    def _family_exists(cls, name: str) -> str:
        family_class(name)
        return name

    @field_validator("model", mode="before")
    @classmethod
    def _model_by_family(cls, raw: Any, info: Any) -> Any:
        if "family" not in info.data:  # refused already
            return Settings()
        return family_class(info.data["family"]).Settings.model_validate(raw)

    def with_training(self, **changes: Any) -> "Recipe":
        """The same recipe with other training settings, validated again."""
        training = TrainingSettings.model_validate(self.training.model_dump() | changes)
        return self.model_copy(update={"training": training})


# Reading and writing


def read_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """A shipped recipe by name, or a YAML file, with `a.b=c` overrides applied.

    Raises SettingsError with one sentence for anything that is not a recipe.
    """
    return parse_recipe(recipe_text(name_or_path), overrides, source=name_or_path)


def parse_recipe(text: str, overrides: Sequence[str] = (), source: str = "recipe") -> Recipe:
    """A recipe from its YAML text."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise SettingsError(f"{source} is not valid YAML{line}") from error
    if not isinstance(raw, dict):
        raise SettingsError(f"{source} is not a recipe: it must be a YAML mapping with a family")
    raw = _overridden(raw, overrides)
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(f"{source}: {_sentence(error, raw)}") from error


def to_yaml(recipe: Recipe) -> str:
    """The recipe with every setting spelt out; reading it gives an equal recipe."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema(family: str | None = None) -> dict[str, Any]:
    """JSON Schema of a recipe, for editors; `model` is described for each family."""
    schema = Recipe.model_json_schema()
    families = [family] if family else available_families()
    choices = []
    for name in families:
        model = family_class(name).Settings.model_json_schema(ref_template="#/$defs/{model}")
        schema["$defs"].update(model.pop("$defs", {}))
        choices.append({"properties": {"family": {"const": name}, "model": model}})
    schema["properties"]["family"]["enum"] = families
    schema["required"] = ["name", "family", "training"]
    schema["oneOf"] = choices
    return schema


# Overrides


def _overridden(raw: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The raw recipe with `a.b=c` applied."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not overrides:
        return raw
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not equals or not all(key.split(".")):
            raise SettingsError(
                f"--set {override} is not of the form part.setting=value, "
                "for example training.steps=500"
            )
    try:
        given = OmegaConf.from_dotlist(list(overrides))
        kept = _without_other_kinds(raw, OmegaConf.to_container(given, resolve=False))
        merged = OmegaConf.merge(OmegaConf.create(kept), given)
    except (yaml.YAMLError, OmegaConfBaseException, TypeError, ValueError) as error:
        raise SettingsError(
            f"--set {' --set '.join(overrides)} cannot be read: "
            "write values as in YAML, for example a.b=[1, 2]"
        ) from error
    result = OmegaConf.to_container(merged, resolve=False)
    assert isinstance(result, dict)
    return {str(key): value for key, value in result.items()}


def _without_other_kinds(raw: Any, given: Any) -> Any:
    """The raw settings without what belongs only to a kind of schedule that `given` replaces."""
    if not isinstance(raw, dict) or not isinstance(given, dict):
        return raw
    fields = {str(_kind_of(model)): model.model_fields.keys() for model in _models_of(Schedule)}
    old, new = str(raw.get("kind")), str(given.get("kind"))
    gone = fields[old] - fields[new] if old in fields and new in fields else ()
    return {
        key: _without_other_kinds(value, given.get(key))
        for key, value in raw.items()
        if key not in gone
    }


# What went wrong, in a sentence


def _sentence(error: ValidationError, raw: dict[str, Any]) -> str:
    """The likeliest problem of a validation, by the path a person would write."""
    problems = error.errors()
    misspelt = (p for p in problems if p["type"] == "extra_forbidden")
    problem = next(misspelt, problems[0])
    path = [str(part) for part in problem["loc"]]
    shown = ".".join(part for i, part in enumerate(path) if not _is_tag(path, i))
    if problem["type"] == "extra_forbidden":
        known = _fields_at(path[:-1], raw)
        return unknown_name("setting", shown, _prefixed(shown, known))
    if problem["type"] == "union_tag_not_found" and isinstance(problem["input"], dict):
        known = _fields_at(path, raw)
        wrong = next((key for key in problem["input"] if key not in known), None)
        if wrong is not None:
            name = f"{shown}.{wrong}"
            return unknown_name("setting", name, _prefixed(name, known))
    if problem["type"] == "union_tag_invalid":
        kinds = problem["ctx"]["expected_tags"].replace("'", "").split(", ")
        return f"{shown}.kind: " + unknown_name("kind", problem["ctx"]["tag"], kinds)
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if problem["type"] in ("missing", "value_error") else f", not {problem['input']!r}"
    return f"{shown or 'the recipe'}: {message[0].lower()}{message[1:]}{given}"


def _prefixed(shown: str, names: Sequence[str]) -> list[str]:
    parent = shown.rpartition(".")[0]
    return [f"{parent}.{name}" if parent else name for name in names]


def _is_tag(path: list[str], position: int) -> bool:
    """The kind of a schedule stands in pydantic's path, not in a person's."""
    kinds = {_kind_of(model) for model in _models_of(Schedule)}
    return position > 0 and path[position - 1] == "schedule" and path[position] in kinds


def _fields_at(path: list[str], raw: dict[str, Any]) -> list[str]:
    """The names that would have been right at this place."""
    candidates: list[type[BaseModel]] = [Recipe]
    if path and path[0] == "model":
        candidates, path = [family_class(raw["family"]).Settings], path[1:]
    for part in path:
        tagged = [c for c in candidates if len(candidates) > 1 and _kind_of(c) == part]
        inner = [c for m in candidates for c in _models_in(m, part)]
        candidates = tagged or inner or candidates
    return sorted({name for c in candidates for name in c.model_fields})


def _models_in(model: type[BaseModel], field: str) -> Iterator[type[BaseModel]]:
    if field in model.model_fields:
        yield from _models_of(model.model_fields[field].annotation)


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """The settings classes inside an annotation such as dict[str, A | B]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, dict, tuple):
        for argument in get_args(annotation):
            yield from _models_of(argument)


def _kind_of(model: type[BaseModel]) -> object:
    kind = model.model_fields.get("kind")
    return kind.default if kind else None
