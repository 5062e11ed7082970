"""Which class a picture belongs to: as its source states, by its folder, or by its source."""

import re
from collections.abc import Sequence

from maquette.core.errors import DatasetError
from maquette.data.building.choices import Choices, Labels
from maquette.data.building.label_columns import OWN, LabelColumn, OwnColumn, prefix_of
from maquette.data.building.label_table import LabelTable
from maquette.data.building.records import Record


def labels_of(records: Sequence[Record], wanted: Labels, sources: int) -> list[str] | None:
    """A class name for each record, or None when there are fewer than two classes.

    "auto" takes the labels that array files state, else the sources when several were given, else
    the folders. DatasetError when classes were asked for that the pictures do not have.
    """
    if wanted == "none":
        return None
    stated = [r.stated_label for r in records if r.stated_label is not None]
    if wanted == "auto" and len(stated) == len(records):
        return _at_least_two(stated)
    if wanted == "sources" or (wanted == "auto" and sources > 1):
        labels = _at_least_two([record.origin for record in records])
        advice = "give at least two sources with different names"
    else:
        labels = _by_folder(records)
        advice = "put all pictures into sub-folders named after their classes"
    if labels is None and wanted != "auto":
        raise DatasetError(f"labels from {wanted} give fewer than two classes: {advice}")
    return labels


def classes_of(records: Sequence[Record], choices: Choices, sources: int) -> list[str | None]:
    """The class of each record, None for faulty ones and where there are no classes.

    With a table of labels, None also for pictures that it does not know. DatasetError as above, and
    when the table or any column knows fewer than two classes of these pictures. Of several columns,
    the first.
    """
    if choices.label_columns:
        first, *_others = [column_of(records, column, sources) for column in choices.label_columns]
        return first
    if (table := choices.label_table) is not None:
        known = [None if r.facts is None else table.label_of(r.source) for r in records]
        if len({label for label in known if label is not None}) < 2:
            raise DatasetError(
                "the table of labels gives these pictures fewer than two classes: "
                f"{_advice(records, known)}"
            )
        return known
    readable = [record for record in records if record.facts is not None]
    named = iter(labels_of(readable, choices.labels, sources) or ())
    return [None if record.facts is None else next(named, None) for record in records]


def without_label(
    records: Sequence[Record], labels: Sequence[str | None], choices: Choices
) -> dict[int, str]:
    """Why each record that the only table of labels gives no class has none, by its number."""
    if (table := choices.label_table) is None:
        return {}
    return {
        number: "its rows in the table of labels contradict each other"
        if table.contradicts_itself(record.source)
        else "not in the table of labels"
        for number, (record, label) in enumerate(zip(records, labels, strict=True))
        if label is None
    }


def column_of(records: Sequence[Record], column: LabelColumn, sources: int) -> list[str | None]:
    """The class of each record in this column; None for faulty ones and where it says nothing.

    DatasetError when it tells fewer than two classes apart.
    """
    origin = column.origin
    readable = [record for record in records if record.facts is not None]
    known: Sequence[str | None]
    if isinstance(origin, LabelTable):
        known = [origin.label_of(record.source) for record in readable]
        advice = _advice(readable, known)
    elif isinstance(origin, OwnColumn):
        known = [record.classes.get(origin.name) for record in readable]
        advice = (
            f"see that they lie in a table, such as Parquet or hf:…, whose column {origin.name!r} "
            "names several"
        )
    elif origin == "prefix":
        known = [prefix_of(record.source) for record in readable]
        advice = 'name files as in "rembrandt_saskia.jpg"'
    else:
        known = labels_of(readable, origin, sources) or ()
        advice = ""  # refused above
    if len({label for label in known if label is not None}) < 2:
        raise DatasetError(
            f"the label column {column.name} gives these pictures fewer than two classes: {advice}"
        )
    named = iter(known)
    return [None if record.facts is None else next(named) for record in records]


def _advice(records: Sequence[Record], known: Sequence[str | None]) -> str:
    """For a table beside the pictures that tells too little about them."""
    if any(known) or not all(re.search(r"#\d+$", record.source) for record in records):
        return "check that the names in its table are those of the files"
    return (
        f"they have numbers instead of file names ({records[0].source}); a column of their own "
        f"table is named as in --label style={OWN}style"
    )


def class_names(labels: Sequence[str]) -> tuple[str, ...]:
    """The distinct labels, sorted; numbers by value, so that "10" comes after "9"."""
    names = set(labels)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _by_folder(records: Sequence[Record]) -> list[str] | None:
    """The first folder below those all pictures share; None when some lie beside the folders."""
    paths = [record.folders for record in records]
    shared = 0
    while all(len(path) > shared and path[shared] == paths[0][shared] for path in paths):
        shared += 1
    if any(len(path) == shared for path in paths):
        return None
    return [path[shared] for path in paths]


def _at_least_two(labels: list[str]) -> list[str] | None:
    return labels if len(set(labels)) > 1 else None
