"""Pictures in local tables: Parquet, and Arrow as Hugging Face's `datasets` keeps it in its cache.

Only the columns needed are read, a few rows at a time, however large the row groups are. The column
of pictures is found by content, that of classes by name; `Reading` overrides both.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maquette.core.errors import DatasetError
from maquette.data.pictures.faults import Fault
from maquette.data.sources import cells
from maquette.data.sources.columns import Columns, choose_columns, class_name, features_of
from maquette.data.sources.identity import file_identity
from maquette.data.sources.source import Item, Reading, Source

PARQUET_MAGIC, ARROW_MAGIC = b"PAR1", b"ARROW1"
BATCH_BYTES = 16 * 2**20  # about as much is unpacked at a time
_MOST_BATCH_ROWS, _SAMPLE_ROWS = 1024, 32
_BUFFER_BYTES = 2**20
_DAMAGED = Fault("damaged", "the table is damaged here")


@dataclass(frozen=True)
class Rows:
    """Rows that follow each other."""

    first: int
    count: int
    batch: Any  # pyarrow.RecordBatch, or None where they cannot be read

    def since(self, start: int) -> "Rows":
        """Without those before `start`."""
        skipped = max(0, start - self.first)
        batch = None if self.batch is None else self.batch.slice(skipped)
        return Rows(self.first + skipped, self.count - skipped, batch)


class TableSource(Source):
    """The pictures of one table; a row without one is a fault. Needs the extra `hub`."""

    def __init__(self, file: Path, reading: Reading):
        """DatasetError when the file cannot be read or the columns cannot be told."""
        self._file, self.name = file, file.stem
        with readable(file):
            schema, self._count = self._head()
            if self._count < 1:
                raise DatasetError(f"{file} holds no rows")
            # Also when it is a lie: each of them would become an item.
            if self._count > file.stat().st_size:
                raise DatasetError(f"{file} claims {self._count} rows, more than it has bytes")
            if len(set(schema.names)) < len(schema.names):
                raise DatasetError(f"{file} has two columns of one name: rename one")
            first = next(self._rows(schema.names, 0)).batch
            if first is None:
                raise DatasetError(f"{file} is damaged: save or download it again")
            sample = first.slice(0, _SAMPLE_ROWS)
            self._columns = choose_columns(sample, features_of(schema), reading, str(file))

    @property
    def grey(self) -> bool:
        return self._columns.grey

    @property
    def identity(self) -> str:
        return file_identity(self._file)

    def count(self) -> int:
        return self._count

    def items(self, start: int = 0) -> Iterator[Item]:
        name = self._file.name
        with readable(self._file):
            for rows in self._rows(self._columns.wanted, start):
                kept = rows.since(start)
                if kept.batch is not None:
                    yield from items_of(kept.batch, self._columns, name, kept.first)
                else:
                    numbers = range(kept.first, kept.first + kept.count)
                    yield from (Item(f"{name}#{row}", fault=_DAMAGED) for row in numbers)

    @abstractmethod
    def _head(self) -> tuple[Any, int]:
        """The Arrow schema, and how many rows there are."""

    @abstractmethod
    def _rows(self, wanted: list[str], start: int) -> Iterator[Rows]:
        """All rows from `start` on, or from somewhat before it."""


class ParquetSource(TableSource):
    """A Parquet file."""

    def _head(self) -> tuple[Any, int]:
        with _parquet(self._file) as opened:
            groups = [opened.metadata.row_group(g) for g in range(opened.num_row_groups)]
            return opened.schema_arrow, sum(group.num_rows for group in groups)

    def _rows(self, wanted: list[str], start: int) -> Iterator[Rows]:
        first = 0
        with _parquet(self._file) as opened:
            for group in range(opened.num_row_groups):
                count = opened.metadata.row_group(group).num_rows
                if first + count > start:
                    yield from _rows_of_group(opened, group, wanted, first)
                first += count


class ArrowSource(TableSource):
    """An Arrow file, in the streaming format (as `datasets` writes it) or the random access one."""

    def _head(self) -> tuple[Any, int]:
        with _arrow(self._file) as (schema, batches):
            return schema, sum(batch.num_rows for batch in batches)

    def _rows(self, wanted: list[str], start: int) -> Iterator[Rows]:
        import pyarrow

        first = 0
        with _arrow(self._file) as (_, batches):
            for batch in batches:
                if first + batch.num_rows > start:
                    batch = batch.select(wanted)
                    try:
                        batch.validate(full=True)  # else offsets may lead out of the file
                    except pyarrow.ArrowInvalid:
                        yield Rows(first, batch.num_rows, None)
                    else:
                        yield Rows(first, batch.num_rows, batch)
                first += batch.num_rows


def is_parquet(start: bytes, name: str) -> bool:
    """Whether a file is Parquet, or meant to be, by its first bytes or its name."""
    return start.startswith(PARQUET_MAGIC) or name.lower().endswith((".parquet", ".pq"))


def is_arrow(start: bytes, name: str) -> bool:
    """Likewise for Arrow; its streaming format has no more than a length at its beginning."""
    return start.startswith(ARROW_MAGIC) or name.lower().endswith((".arrow", ".feather"))


def items_of(batch: Any, columns: Columns, name: str, first: int) -> Iterator[Item]:
    """The rows of a record batch, numbered from `first`."""
    labels: list[str | None] = [None] * batch.num_rows
    if columns.labels is not None:
        labels = _classes(batch, columns.labels, columns.names)
    others = {column: _classes(batch, column, names) for column, names in columns.others.items()}
    found = cells.contents(batch.column(columns.pictures), columns.shape)
    for row, (content, label) in enumerate(zip(found, labels, strict=True)):
        told = {c: cls for c, values in others.items() if (cls := values[row]) is not None}
        item = Item(f"{name}#{first + row}", label=label, classes=told)
        if isinstance(content, Fault):
            yield replace(item, fault=content)
        else:
            yield replace(item, content=content)


def _classes(batch: Any, column: str, names: Sequence[str]) -> list[str | None]:
    """What each row says in a column of classes."""
    return [class_name(cell, names) for cell in cells.class_cells(batch.column(column))]


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turns whatever pyarrow raises about a file, or being without pyarrow, into a DatasetError."""
    try:
        import pyarrow
    except ImportError:
        raise DatasetError(
            f"reading {file} needs the extra `hub`: pip install 'maquette[hub]'"
        ) from None
    try:
        yield
    except DatasetError:
        raise
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, MemoryError) as problem:
        known = problem.strerror if isinstance(problem, OSError) else None
        reason = known or (str(problem).splitlines() or ["damaged"])[0]
        raise DatasetError(
            f"{file} cannot be read as a table ({reason}): save or download it again"
        ) from None


def _parquet(file: Path) -> Any:
    from pyarrow import parquet

    # With a buffer, a column is read piece by piece; without, whole row groups of it.
    return parquet.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)


def _rows_of_group(opened: Any, group: int, wanted: list[str], first: int) -> Iterator[Rows]:
    """A damaged group costs its own rows, not those of others."""
    import pyarrow

    end = first + opened.metadata.row_group(group).num_rows
    size = _batch_rows(opened.metadata.row_group(group), wanted)
    batches = opened.iter_batches(size, [group], wanted, use_threads=False)
    try:
        for batch in batches:
            batch = batch.slice(0, end - first)
            yield Rows(first, batch.num_rows, batch)
            first += batch.num_rows
    except (pyarrow.ArrowException, OSError):
        pass
    if first < end:
        yield Rows(first, end - first, None)


def _batch_rows(group: Any, wanted: list[str]) -> int:
    """How many rows make about BATCH_BYTES."""
    chunks = [group.column(place) for place in range(group.num_columns)]
    prefixes = tuple(f"{name}." for name in wanted)
    unpacked = sum(
        int(chunk.total_uncompressed_size)
        for chunk in chunks
        if chunk.path_in_schema in wanted or chunk.path_in_schema.startswith(prefixes)
    )
    return max(1, min(_MOST_BATCH_ROWS, BATCH_BYTES * int(group.num_rows) // max(1, unpacked)))


@contextmanager
def _arrow(file: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Schema and record batches, which stay on disk until they are looked at."""
    import pyarrow

    with pyarrow.memory_map(str(file)) as mapped:
        is_stream = mapped.read(len(ARROW_MAGIC)) != ARROW_MAGIC
        mapped.seek(0)
        if is_stream:
            with pyarrow.ipc.open_stream(mapped) as stream:
                yield stream.schema, iter(stream)
        else:
            with pyarrow.ipc.open_file(mapped) as reader:
                yield reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
