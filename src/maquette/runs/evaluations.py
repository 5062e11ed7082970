"""evaluation.json read back: what was measured of a run, as columns that are never mixed up.

The demo writes its two numbers without columns; they are of the weights served.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from maquette.core.errors import RunError
from maquette.evaluation.metric import Measurement

EVALUATION = "evaluation.json"
SELECTED, LAST, BEST = "selected on held-out", "last", "best of run"


@dataclass(frozen=True)
class MeasuredOn:
    """Which real pictures a run was judged by; none of them did it learn from."""

    dataset: str  # its name
    fingerprint: str
    pictures: int
    foreign: bool  # all of another dataset, else the held-out split of its own

    def __str__(self) -> str:
        if self.foreign:
            return f"all {self.pictures:,} pictures of {self.dataset}, another dataset"
        return f"the {self.pictures:,} held-out pictures of {self.dataset}"


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
class Stored:
    """The content of evaluation.json."""

    columns: tuple[Column, ...] = ()  # what the run serves first; none where nothing was measured
    measured_on: MeasuredOn | None = None  # None where nobody wrote it down
    measurements: tuple[Measurement, ...] = ()  # those of the first column


def read_evaluation(folder: Path) -> Stored:
    """What was measured of a run; empty where nothing was.

    Raises RunError, one sentence, for a file that cannot be understood.
    """
    path = folder / EVALUATION
    try:
        stored = TypeAdapter(Stored).validate_json(path.read_bytes())
    except FileNotFoundError:
        return Stored()
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} is damaged: measure again with `maquette evaluate {folder}`, or delete it"
        ) from error
    if stored.columns or not stored.measurements:
        return stored
    return replace(stored, columns=(Column(SELECTED, None, stored.measurements),))


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
