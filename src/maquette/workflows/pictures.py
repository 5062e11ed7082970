"""The pictures a recipe asks for: a split of a dataset folder, as its family is to see it."""

from pathlib import Path

from maquette.core.errors import SettingsError
from maquette.core.family import Translates
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.data.domains import two_domains
from maquette.data.moving import Moves
from maquette.families import family_class
from maquette.recipe import Recipe


def pictures_for(recipe: Recipe, path: Path | str, split: str = "train") -> ImageDataset:
    """One split; for translators of the first domain, with the second as its partners.

    Pictures without a label are there only to be learnt, where the family learns from them and
    classes are not balanced.
    DatasetError or SettingsError when it cannot be used so.
    """
    data = recipe.data
    moves = Moves(data.mirror, data.shift)
    dataset = open_dataset(
        path,
        split,
        moves,
        strokes=data.strokes,
        balance_classes=data.balance_classes,
        label=data.label,
    )
    kind = family_class(recipe.family)
    if split != "train" or data.balance_classes or not kind.learns_unlabelled(recipe.model):
        dataset = dataset.labelled()
    if issubclass(kind, Translates):
        return two_domains(dataset, recipe.data.domains)
    if recipe.data.domains is not None:
        raise SettingsError(
            f"data.domains is for translators, and {recipe.family} is none: set it to null"
        )
    return dataset
