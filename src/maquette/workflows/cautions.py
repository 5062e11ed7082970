"""What a person should hear about the labels of a dataset before a family learns from them."""

from collections.abc import Iterator

import torch

from maquette.core.family import Family
from maquette.data.dataset import ImageDataset

FEWEST_PICTURES = 10  # of a class; with fewer, a family learns these by heart


def cautions(dataset: ImageDataset, kind: type[Family]) -> Iterator[str]:
    """Sentences about pictures without a label, and classes with few pictures or none."""
    if dataset.left_out:
        yield (
            f"{dataset.left_out:,} pictures have no label and are left out: as the recipe is, they "
            "would teach nothing"
        )
    if dataset.labels is None:
        if kind.made_for_classes:
            yield (
                "the dataset has no classes, so all pictures are learnt as one kind and no class "
                "can be asked for: build it from two folders or more, named after their classes, "
                "or with --label"
            )
        return
    labels, names = dataset.labels.cpu(), dataset.spec.classes
    if unlabelled := int((labels < 0).sum()):
        yield (
            f"{unlabelled:,} of {len(labels):,} pictures have no label: they teach what pictures "
            "look like, but no class"
        )
    counts = torch.bincount(labels[labels >= 0], minlength=len(names)).tolist()
    if absent := [name for name, count in zip(names, counts, strict=True) if not count]:
        yield (
            f"{len(absent):,} of {len(names):,} classes have no picture to learn from "
            f"({absent[0]}), so that nothing is learnt of them although their names are known: "
            "build the dataset with more of them or without these classes"
        )
    if few := sum(0 < count < FEWEST_PICTURES for count in counts):
        fewest = min(range(len(names)), key=lambda number: counts[number] or len(labels))
        yield (
            f"{few:,} of {len(names):,} classes have fewer than {FEWEST_PICTURES} pictures to "
            f"learn from ({names[fewest]}: {counts[fewest]:,}), which will be learnt by heart: "
            "build the dataset with more of them or without these classes"
        )
