"""Which column of a table holds pictures and which holds classes, told by name and by content."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maquette.core.errors import DatasetError, unknown_name
from maquette.data.pictures.faults import Fault
from maquette.data.sources import cells
from maquette.data.sources.source import Reading

PICTURE_COLUMNS = ("image", "img", "images", "picture", "photo", "pixels", "jpg", "png", "webp")
LABEL_COLUMNS = (
    *("label", "labels", "class", "cls", "class_name", "classname", "class_id", "category"),
    *("fine_label", "style", "genre", "artist", "target", "breed", "species", "variety", "word"),
)


@dataclass(frozen=True)
class Columns:
    """What is read of a table, and how."""

    pictures: str
    shape: tuple[int, ...] | None  # of flat lists of pixels; square when None
    grey: bool  # whatever the row
    labels: str | None
    names: tuple[str, ...]  # of numbered classes
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # more, with their names

    @property
    def wanted(self) -> list[str]:
        labels = [] if self.labels is None else [self.labels]
        return list(dict.fromkeys([self.pictures, *labels, *self.others]))


def choose_columns(
    sample: Any, features: Mapping[str, Mapping[str, Any]], reading: Reading, place: str
) -> Columns:
    """By what a record batch of the first rows holds; `features` as `features_of` gives them.

    DatasetError naming `place` when there is no choice, or none that is plain.
    """
    known, shape = sample.schema.names, reading.shape
    pictures = _picture_column(sample, features, reading, place)
    naming = [name for name in known if cells.can_name_classes(sample.schema.field(name).type)]
    names = {
        name: enumerated_classes(features.get(name, {})) for name in naming if name != pictures
    }
    enumerated = [name for name in names if names[name]]
    labels = _label_column(list(names), enumerated, reading.label_feature, known, place)
    for column in reading.class_features:
        if column not in known:
            raise DatasetError(f"{place}: {unknown_name('column', column, known)}")
    for chosen in (labels, *reading.class_features):
        if chosen is not None and chosen not in names:
            kind = sample.schema.field(chosen).type
            raise DatasetError(f"{place}: the column {chosen!r} holds {kind}, not classes")
    depth = cells.nesting(sample.schema.field(pictures).type)
    flat_grey = shape is None or len(shape) == 2 or shape[-1] == 1
    grey = depth == 2 or (depth == 1 and flat_grey)
    others = {column: names[column] for column in reading.class_features}
    return Columns(pictures, shape, grey, labels, names[labels] if labels else (), others)


def features_of(schema: Any) -> dict[str, Mapping[str, Any]]:
    """What Hugging Face's `datasets` noted of each column: its `_type`, its `names` of classes."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: noted for name, noted in features.items() if isinstance(noted, dict)}
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return {}


def enumerated_classes(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that a column enumerates."""
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def column_called(names: Sequence[str], columns: Collection[str]) -> str | None:
    """The column with the earliest of `names`, whatever its case; "a b" and "a-b" are "a_b"."""
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in columns}
    return next((plain[name] for name in names if name in plain), None)


def class_name(value: object, names: Sequence[str] = ()) -> str | None:
    """The class that a cell tells, by number where `names` are given; None for an empty cell.

    A number with a list of names that is -1 is how Hugging Face says that the class is not known.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():  # one gap makes pandas turn whole columns
        value = int(value)
    if isinstance(value, int) and names:
        if value == -1:
            return None
        return names[value] if 0 <= value < len(names) else str(value)
    return str(value)


def _picture_column(
    sample: Any, features: Mapping[str, Mapping[str, Any]], reading: Reading, place: str
) -> str:
    known, shape = sample.schema.names, reading.shape
    possible = {
        n: sample.column(n) for n in known if cells.can_hold_pictures(sample.schema.field(n).type)
    }
    holding = [name for name in possible if features.get(name, {}).get("_type") == "Image"]
    holding = holding or [name for name in possible if cells.holds_pictures(possible[name], shape)]
    holding = holding or [name for name in possible if cells.holds_long_lists(possible[name])]
    chosen = _only_or_named(holding, reading.image_feature, known, place)
    if chosen not in possible:
        kind = sample.schema.field(chosen).type
        raise DatasetError(f"{place}: the column {chosen!r} holds {kind}, not pictures")
    first = next(cells.contents(possible[chosen], shape), None)
    if isinstance(first, Fault) and first.kind == "not-a-picture":
        raise DatasetError(
            f"{place}: the column {chosen!r} holds {first.reason}; give the right --shape"
        )
    return chosen


def _only_or_named(holding: Sequence[str], wanted: str | None, known: list[str], place: str) -> str:
    """The one to read, out of those seen to hold pictures; DatasetError when that is not plain."""
    if wanted is not None:
        if wanted not in known:
            raise DatasetError(f"{place}: {unknown_name('column', wanted, known)}")
        return wanted
    if len(holding) > 1 and (called := column_called(PICTURE_COLUMNS, holding)):
        return called
    if len(holding) > 1:
        several = ", ".join(holding)
        raise DatasetError(
            f"{place} has several columns of pictures ({several}): choose one with --image-feature"
        )
    if not holding:
        raise DatasetError(
            f"{place} has no column of pictures (its columns are {', '.join(known)}): if one holds "
            "them all the same, name it with --image-feature"
        )
    return holding[0]


def _label_column(
    naming: Collection[str],
    enumerated: Collection[str],
    wanted: str | None,
    known: list[str],
    place: str,
) -> str | None:
    """The one with the classes, or None.

    `naming` are those of a type that can name a class, `enumerated` those that come with a list of
    classes. DatasetError when the one that is wanted does not exist.
    """
    if wanted is not None:
        if wanted not in known:
            raise DatasetError(f"{place}: {unknown_name('column', wanted, known)}")
        return wanted
    only = next(iter(enumerated)) if len(enumerated) == 1 else None
    return column_called(LABEL_COLUMNS, naming) or only
