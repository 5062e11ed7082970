"""Classes from a table beside the pictures: CSV, TSV or Parquet, one row a picture.

Tables name pictures in many ways: by path, by file name, or by an id without an ending. A row
belongs to the pictures it shares most of its path with, and rows that contradict each other about
a picture say nothing.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from maquette.core.errors import DatasetError, did_you_mean, unknown_name
from maquette.data.sources.columns import (
    LABEL_COLUMNS,
    class_name,
    column_called,
    enumerated_classes,
    features_of,
)
from maquette.data.sources.tables import is_parquet, readable

NAME_COLUMNS = (
    *("file_name", "filename", "file", "image_file", "image_name", "image_path", "image", "images"),
    *("image_id", "img", "img_path", "img_name", "file_path", "filepath", "path", "photo"),
    *("key", "key_id", "id", "name"),
)
LONGEST_LINE = 10**6  # characters
_ENDINGS = (".csv", ".tsv", ".parquet")  # of files that may be meant where one is misspelt
_DELIMITERS = ",;\t|"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # how spreadsheets save "Unicode text"
_ENDING = re.compile(r"(?<=.)\.(?=\w*[A-Za-z])\w{1,5}$", re.ASCII)
_BATCH_ROWS = 4096


@dataclass(frozen=True)
class UselessRows:
    """What of a table could not be used."""

    unmatched: tuple[str, ...]  # names in rows that belong to no picture
    contradicted: tuple[str, ...]  # pictures whose rows name different classes


class LabelTable:
    """The classes of pictures by what the pictures are called, and which rows were of use."""

    def __init__(self, rows: Iterable[tuple[str, str]]):
        """Names of pictures with their classes; a name may come more than once."""
        self._rows: list[tuple[str, str]] = []
        self._by_stem: dict[str, list[int]] = {}
        for name, label in rows:
            if parts := _parts(name):
                self._by_stem.setdefault(_stem(parts[-1]), []).append(len(self._rows))
                self._rows.append((name, label))
        self._used = bytearray(len(self._rows))
        self._contradicted: dict[str, None] = {}  # in the order in which pictures were looked up

    def __len__(self) -> int:
        """How many rows name a picture and a class."""
        return len(self._rows)

    def label_of(self, source: str) -> str | None:
        """The class of an item by its source ("photos/a/b.jpg", "photos.zip!a/b.jpg").

        Of all rows with its file name, with or without ending, those with most of its path decide,
        then those with its ending. None when there are none or they disagree, and when all are of
        other folders.
        """
        parts = _parts(source)
        best: list[int] = []
        likeness = (0, False, False)
        for row in self._called(parts[-1]) if parts else ():
            called = _parts(self._rows[row][0])
            if _elsewhere(called, parts):
                continue
            found = _likeness(called, parts)
            if found > likeness:
                best, likeness = [], found
            if found == likeness:
                best.append(row)
        for row in best:
            self._used[row] = True
        labels = {self._rows[row][1] for row in best}
        if len(labels) > 1:
            self._contradicted[source] = None
        return labels.pop() if len(labels) == 1 else None

    def unmatched(self) -> list[str]:
        """The names in those rows that were not yet of use for any picture."""
        return [name for (name, _), used in zip(self._rows, self._used, strict=True) if not used]

    def contradicts_itself(self, source: str) -> bool:
        """Whether the rows of an item that was looked up name different classes."""
        return source in self._contradicted

    def useless(self) -> UselessRows:
        """After all pictures were looked up."""
        return UselessRows(tuple(self.unmatched()), tuple(self._contradicted))

    def _called(self, name: str) -> Iterator[int]:
        """Rows whose file name is this one, with whatever ending or none."""
        stem = _stem(name)
        # Twice, for ids with a dot: the row "mr.x" is filed under "mr", and means "mr.x.jpg".
        for key in dict.fromkeys((stem, _stem(stem))):
            for row in self._by_stem.get(key, ()):
                called = _parts(self._rows[row][0])[-1]
                if stem in (called, _stem(called)):
                    yield row


def read_label_table(text: str, instead: Sequence[str] = ()) -> LabelTable:
    """The table of "FILE", "FILE:LABEL" or "FILE:NAME:LABEL", where the latter are columns.

    DatasetError when there is no such file or column, or it cannot be read; the first names the
    words that could have been given `instead`.
    """
    file, name, label = _split_up(text, instead)
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
        if is_parquet(start, file.name):
            table = LabelTable(_parquet_rows(file, name, label))
        else:
            encoding = "utf-16" if start.startswith(_UTF16) else "utf-8-sig"
            with file.open(encoding=encoding, newline="") as lines:
                table = LabelTable(_text_rows(lines, file, name, label))
    except UnicodeDecodeError:
        raise DatasetError(f"{file} is not UTF-8 text: save it as CSV in UTF-8") from None
    except csv.Error as problem:
        raise DatasetError(f"{file} cannot be read as a table: {problem}") from None
    except OSError as problem:
        raise DatasetError(f"{file} cannot be read: {problem.strerror}") from None
    if not len(table):
        raise DatasetError(f"{file} names no pictures with classes")
    return table


def _split_up(text: str, instead: Sequence[str]) -> tuple[Path, str | None, str | None]:
    """By which part is a file, because colons belong to paths too."""
    one, two = text.rsplit(":", 1), text.rsplit(":", 2)
    for parts in ([text], one, two):
        if parts[0] and Path(parts[0]).is_file():
            name = parts[1] if len(parts) == 3 else None
            return Path(parts[0]), name, parts[-1] if len(parts) > 1 else None
    given = Path(text)
    beside = [file.name for file in given.parent.glob("*") if file.suffix.lower() in _ENDINGS]
    words = [way.partition(":")[0] for way in instead]
    meant = did_you_mean(given.name.partition(":")[0], [*words, *beside])
    ways = ", ".join((*instead, "FILE", "FILE:LABEL"))
    raise DatasetError(
        f"there is no table of labels {text}: {meant}give {ways} or FILE:NAME:LABEL, the latter "
        "being columns"
    )


def _parts(name: str) -> list[str]:
    """Of a path with whatever separators, archives being folders; composed, as on all systems."""
    plain = unicodedata.normalize("NFC", name.strip()).replace("\\", "/").replace("!", "/")
    return [part for part in plain.split("/") if part not in ("", ".")]


def _stem(name: str) -> str:
    return _ENDING.sub("", name)


def _elsewhere(row: list[str], parts: list[str]) -> bool:
    """Whether a row names another folder than the one a picture lies in, below its source."""
    return len(row) > 1 and len(parts) > 2 and row[-2] != parts[-2]


def _likeness(row: list[str], parts: list[str]) -> tuple[int, bool, bool]:
    """How many folders above them are the same, whether the ending is, and the whole path."""
    folders = 0
    for mine, its in zip(row[-2::-1], parts[-2::-1], strict=False):
        if mine != its:
            break
        folders += 1
    return folders + 1, row[-1] == parts[-1], row in (parts, parts[1:])


def _text_rows(
    lines: TextIO, file: Path, name: str | None, label: str | None
) -> Iterator[tuple[str, str]]:
    header = _bounded(lines, file)
    first = next((line for line in header if line.strip()), "")
    # The one that makes most columns, because sniffing mistakes frequent letters for delimiters.
    split = {d: next(csv.reader([first], delimiter=d), []) for d in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda d: len(split[d]))
    columns = split[delimiter]
    named, labelled = _columns(columns, name, label, file)
    place, label_place = columns.index(named), columns.index(labelled)
    rows = csv.reader(_bounded(lines, file), delimiter=delimiter)
    for row in rows:
        if not any(row):
            continue
        # A comma too many would move classes into the next column.
        if len(row) < len(columns) or any(row[len(columns) :]):
            raise DatasetError(
                f"{file} has {len(row)} columns instead of {len(columns)} in a row that begins "
                f"with {row[0][:40]!r}: put text with a {delimiter!r} in quotes"
            )
        if (cell := class_name(row[label_place].strip())) is not None:
            yield row[place], cell


def _bounded(lines: TextIO, file: Path) -> Iterator[str]:
    while line := lines.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise DatasetError(f"{file} has lines too long for a table: save it as CSV")
        yield line


def _parquet_rows(file: Path, name: str | None, label: str | None) -> Iterator[tuple[str, str]]:
    with readable(file):
        from pyarrow import parquet

        with parquet.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            wanted = _columns(list(schema.names), name, label, file)
            classes = enumerated_classes(features_of(schema).get(wanted[1], {}))
            for batch in opened.iter_batches(_BATCH_ROWS, columns=list(wanted)):
                names, labels = (batch.column(column).to_pylist() for column in wanted)
                for called, value in zip(names, labels, strict=True):
                    cell = class_name(value, classes)
                    if called is not None and cell is not None:
                        yield str(called), cell


def _columns(
    columns: list[str], name: str | None, label: str | None, file: Path
) -> tuple[str, str]:
    """Those with the names of pictures and with their classes."""
    for given in (name, label):
        if given is not None and given not in columns:
            raise DatasetError(f"{file}: {unknown_name('column', given, columns)}")
    name = name or column_called(NAME_COLUMNS, [c for c in columns if c != label])
    label = label or column_called(LABEL_COLUMNS, [c for c in columns if c != name])
    if len(columns) == 2 and (name is None) != (label is None):
        other = next(column for column in columns if column not in (name, label))
        name, label = name or other, label or other
    if name is None or label is None:
        what = "names of pictures" if name is None else "classes"
        raise DatasetError(
            f"{file} does not tell which column holds {what} (they are {', '.join(columns)}): name "
            "both, as in --label-table labels.csv:NAME:LABEL"
        )
    return name, label
