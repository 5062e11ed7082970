"""evaluation.json read back: what was measured of a run, as columns that are never mixed up.

The demo writes its two numbers without columns; they are of the weights served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from maquette.core.errors import RunError
from maquette.evaluation.metric import Measurement

EVALUATION = "evaluation.json"
SELECTED, LAST, BEST = "selected on held-out", "last", "best of run"


@dataclass(frozen=True)
class Column:
    """What was measured of one checkpoint."""

    name: str  # SELECTED, LAST, "step 4,000" or BEST
    step: int | None  # None for the best of several
    measurements: tuple[Measurement, ...]

    @property
    def flatters(self) -> bool:
        return self.name == BEST


@dataclass(frozen=True)
class MeasuredRow:
    """One number of every column."""

    name: str
    cells: tuple[Measurement | None, ...]  # one a column
    best_step: int | None = None  # where the cell of BEST was taken

    @property
    def first(self) -> Measurement:
        """Of the first column that has it."""
        return next(cell for cell in self.cells if cell is not None)

    @property
    def shared_ends(self) -> bool:
        """Whether floor and ceiling are the same in all columns."""
        return len({(m.floor, m.ceiling) for m in self.cells if m is not None}) == 1


@dataclass(frozen=True)
class _File:
    columns: tuple[Column, ...] = ()
    measurements: tuple[Measurement, ...] = ()


def read_evaluation(folder: Path) -> tuple[Column, ...]:
    """The columns of a run, what it serves first; none where nothing was measured.

    Raises RunError, one sentence, for a file that cannot be understood.
    """
    path = folder / EVALUATION
    try:
        file = TypeAdapter(_File).validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} is damaged: measure again with `maquette evaluate {folder}`, or delete it"
        ) from error
    if file.columns or not file.measurements:
        return file.columns
    return (Column(SELECTED, None, file.measurements),)


def measured_rows(columns: Sequence[Column]) -> list[MeasuredRow]:
    """Every number once, in the order of the columns."""
    named = [{m.name: m for m in column.measurements} for column in columns]
    names = dict.fromkeys(name for found in named for name in found)
    rows = []
    for name in names:
        cells = tuple(found.get(name) for found in named)
        rows.append(MeasuredRow(name, cells, _best_step(columns, cells)))
    return rows


def _best_step(columns: Sequence[Column], cells: Sequence[Measurement | None]) -> int | None:
    pairs = [(c, m) for c, m in zip(columns, cells, strict=True) if m is not None]
    best = next((m.value for c, m in pairs if c.flatters), None)
    return next((c.step for c, m in pairs if not c.flatters and m.value == best), None)
