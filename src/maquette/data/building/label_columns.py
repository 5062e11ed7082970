"""Several labels a picture: style, genre, artist … each a column that a recipe may choose.

A column is read from folders, from sources, from the beginnings of file names, as in
"rembrandt_saskia.jpg", or from a table. Pictures that a column says nothing about stay, without a
label in it; folders must say something about all.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from maquette.core.errors import DatasetError
from maquette.data.building.label_table import LabelTable, read_label_table

Names = Literal["folders", "sources", "prefix"]
_NAME = re.compile(r"[A-Za-z][\w-]{0,39}", re.ASCII)


@dataclass(frozen=True)
class LabelColumn:
    """A name, and where its classes are read."""

    name: str
    origin: Names | LabelTable


@dataclass(frozen=True)
class ColumnSummary:
    """What came of a column."""

    name: str
    classes: int
    smallest: tuple[str, int]  # the class with fewest pictures, and how many
    unlabelled: int  # pictures kept without a label in it
    unmatched: tuple[str, ...]  # names in its table that belong to no picture


def parse_label_columns(texts: Sequence[str]) -> tuple[LabelColumn, ...]:
    """Columns out of "style=folders", "artist=prefix", "genre=labels.csv:genre".

    DatasetError for anything else, and for a name that comes twice.
    """
    columns: list[LabelColumn] = []
    for text in texts:
        name, equals, origin = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise DatasetError(
                f"--label {text}: write NAME=folders, NAME=sources, NAME=prefix or "
                "NAME=TABLE[:COLUMN], the name in plain letters, for example artist=prefix"
            )
        if name in [column.name for column in columns]:
            raise DatasetError(f"--label {text}: there are two columns called {name}")
        known = next((one for one in get_args(Names) if one == origin), None)
        columns.append(LabelColumn(name, known or read_label_table(origin, get_args(Names))))
    return tuple(columns)


def prefix_of(source: str) -> str | None:
    """What stands before the first "_" of a file name; None where there is no such sign."""
    name = re.split(r"[/\\!]", source)[-1]
    before, sign, _ = name.partition("_")
    return before if sign and before else None


def summary_of(column: LabelColumn, labels: Sequence[str | None]) -> ColumnSummary:
    """`labels` of the pictures that were kept; at least one is given."""
    given = [label for label in labels if label is not None]
    counts = Counter(given)
    smallest = min(counts.items(), key=lambda item: (item[1], item[0]))
    table = column.origin if isinstance(column.origin, LabelTable) else None
    unmatched = () if table is None else tuple(table.unmatched())
    return ColumnSummary(column.name, len(counts), smallest, len(labels) - len(given), unmatched)
