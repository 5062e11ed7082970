"""Two classes of a dataset as the two domains that a translator goes between."""

from dataclasses import replace

from maquette.core.errors import DatasetError, SettingsError, unknown_name
from maquette.data.dataset import ImageDataset


def two_domains(dataset: ImageDataset, names: tuple[str, str] | None = None) -> ImageDataset:
    """The pictures of the first class, with those of the second as partners.

    `names` are two of the dataset's classes; without them it must have exactly two. The classes of
    the spec are then the two domains, in this order. DatasetError when they are not there,
    SettingsError for a dataset that balances its classes.
    """
    if dataset.balance_classes:
        raise SettingsError(
            "data.balance_classes is of no use to a translator, whose batches show both domains "
            "equally often however many pictures each has: set it to false"
        )
    classes = dataset.spec.classes
    if names is None:
        if len(classes) != 2:
            raise DatasetError(_not_two(dataset.name, classes))
        names = classes[0], classes[1]
    for name in names:
        if name not in classes:
            raise DatasetError("data.domains: " + unknown_name("class", name, list(classes)))
    if names[0] == names[1]:
        raise DatasetError(f"data.domains: {names[0]!r} cannot be translated into itself")
    spec = replace(dataset.spec, classes=names)
    second = dataset.domain(classes.index(names[1]), spec)
    return dataset.domain(classes.index(names[0]), spec, second)


def _not_two(name: str, classes: tuple[str, ...]) -> str:
    held = f"has {len(classes) or 'no'} class{'' if len(classes) == 1 else 'es'}"
    sentence = f"to translate, a dataset needs two domains, and {name} {held}: "
    if len(classes) > 2:
        return sentence + f'choose two, as in --set "data.domains=[{classes[0]}, {classes[1]}]"'
    return sentence + (
        "build it from two folders (`maquette data build photos paintings --labels sources`)"
    )
