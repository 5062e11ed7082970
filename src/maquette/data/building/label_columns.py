"""Several labels a picture: style, genre, artist … each a column that a recipe may choose.

A column is read from folders, from sources, from the beginnings of file names, as in
"rembrandt_saskia.jpg", from a table beside the pictures, or from a column of the table that holds
the pictures themselves. Pictures that a column says nothing about stay, without a label in it;
folders must say something about all.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from maquette.core.errors import DatasetError
from maquette.data.building.label_table import LabelTable, UselessRows, read_label_table

Names = Literal["folders", "sources", "prefix"]
OWN = "column:"  # before the name of a column of the pictures' own table
_WAYS = (*get_args(Names), f"{OWN}COLUMN")
_NAME = re.compile(r"[A-Za-z][\w-]{0,39}", re.ASCII)


@dataclass(frozen=True)
class OwnColumn:
    """A column of the table that holds the pictures themselves."""

    name: str


@dataclass(frozen=True)
class LabelColumn:
    """A name, and where its classes are read."""

    name: str
    origin: Names | LabelTable | OwnColumn


@dataclass(frozen=True)
class ColumnSummary:
    """What came of a column."""

    name: str
    classes: int
    smallest: tuple[str, int]  # the class with fewest pictures, and how many
    unlabelled: int  # pictures kept without a label in it
    rows: UselessRows | None  # of its table, where it is read from one beside the pictures


def parse_label_columns(texts: Sequence[str]) -> tuple[LabelColumn, ...]:
    """Columns out of "style=folders", "artist=prefix", "genre=labels.csv:genre", "era=column:era".

    DatasetError for anything else, and for a name that comes twice.
    """
    columns: list[LabelColumn] = []
    for text in texts:
        name, equals, origin = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise DatasetError(
                f"--label {text}: write NAME=folders, NAME=sources, NAME=prefix, "
                "NAME=column:COLUMN or NAME=TABLE[:COLUMN], the name in plain letters, for example "
                "artist=prefix"
            )
        if name in [column.name for column in columns]:
            raise DatasetError(f"--label {text}: there are two columns called {name}")
        columns.append(LabelColumn(name, _origin(origin)))
    return tuple(columns)


def own_columns(columns: Sequence[LabelColumn]) -> tuple[str, ...]:
    """What has to be read of the pictures' own tables, each once."""
    origins = [column.origin for column in columns]
    return tuple(dict.fromkeys(one.name for one in origins if isinstance(one, OwnColumn)))


def _origin(text: str) -> Names | LabelTable | OwnColumn:
    known: Names | None = next((one for one in get_args(Names) if one == text), None)
    if known is None and text.startswith(OWN) and text != OWN:
        return OwnColumn(text.removeprefix(OWN))
    return known or read_label_table(text, _WAYS)


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
    rows = None if table is None else table.useless()
    return ColumnSummary(column.name, len(counts), smallest, len(labels) - len(given), rows)
