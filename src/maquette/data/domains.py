"""Two classes of a dataset as the two domains that a translator goes between."""

from dataclasses import replace

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.dataset import ImageDataset


def two_domains(dataset: ImageDataset, names: tuple[str, str] | None = None) -> ImageDataset:
    """The pictures of the first class, with those of the second as partners.

    `names` are two of the dataset's classes; without them it must have exactly two. The classes of
    the spec are then the two domains, in this order. DatasetError when they are not there.
    """
    classes = dataset.spec.classes
    if names is None:
        if len(classes) != 2:
            held = f"has {len(classes) or 'no'} class{'' if len(classes) == 1 else 'es'}"
            raise DatasetError(
                f"to translate, a dataset needs two domains, and {dataset.name} {held}: build it "
                "from two folders (`maquette data build photos paintings --labels sources`), or "
                "choose two classes with --set data.domains=[a,b]"
            )
        names = classes[0], classes[1]
    for name in names:
        if name not in classes:
            raise DatasetError("data.domains: " + unknown_name("class", name, list(classes)))
    if names[0] == names[1]:
        raise DatasetError(f"data.domains: {names[0]!r} cannot be translated into itself")
    spec = replace(dataset.spec, classes=names)
    second = dataset.domain(classes.index(names[1]), spec)
    return dataset.domain(classes.index(names[0]), spec, second)
