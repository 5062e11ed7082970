"""Several runs side by side: which numbers may be compared, and which run is surely better.

Numbers stand in one row only when the same network looked at as many pictures of the same dataset.
A run is called best only where its interval of uncertainty overlaps no other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maquette.evaluation.metric import Measurement
from maquette.runs.evaluations import BEST, LAST, SELECTED, Column, MeasuredOn
from maquette.runs.folder import Run

KINDS = (SELECTED, LAST, BEST)  # of columns, each in a table of its own


@dataclass(frozen=True)
class Compared:
    """A run and what it tells."""

    name: str  # unlike those of the others
    run: Run
    columns: tuple[Column, ...]  # of its evaluation
    lines: tuple[Mapping[str, Any], ...]  # of its history
    measured_on: MeasuredOn | None = None

    @property
    def fingerprint(self) -> str:
        return str(self.run.info["dataset"]["fingerprint"])

    @property
    def dataset(self) -> str:
        """Its name and the beginning of its fingerprint, for names alone may be shared."""
        return f"{self.run.info['dataset']['name']} ({self.fingerprint[:8]})"

    @property
    def judged_by(self) -> str:
        """The same of the pictures that it was measured by."""
        on = self.measured_on
        return self.dataset if on is None else f"{on.dataset} ({on.fingerprint[:8]})"


@dataclass(frozen=True)
class Row:
    """One number of every run, None where it was not measured in this very way."""

    name: str
    cells: tuple[Measurement | None, ...]
    best: int | None  # index of the run that is surely better than the others
    remark: str  # why some runs are missing; or that they are too close to tell

    @property
    def first(self) -> Measurement:
        return next(cell for cell in self.cells if cell is not None)


@dataclass(frozen=True)
class Table:
    """The rows for one kind of checkpoint."""

    kind: str  # one of KINDS
    rows: tuple[Row, ...]
    steps: tuple[int | None, ...]  # of the checkpoint, one a run


@dataclass(frozen=True)
class _Way:
    """How a number came about; equal ways may be compared."""

    features: str
    count: int | None
    dataset: str


def tables(runs: Sequence[Compared]) -> tuple[Table, ...]:
    """A table for each kind of checkpoint that comes first in a run, or that two of them have."""
    found: list[Table] = []
    for kind in KINDS:
        chosen = [next((c for c in run.columns if c.name == kind), None) for run in runs]
        shared = sum(column is not None for column in chosen) > 1
        if shared or any(run.columns[0].name == kind for run in runs):
            steps = tuple(None if column is None else column.step for column in chosen)
            if kind == LAST and found and steps == found[0].steps:
                continue  # the very same checkpoints
            found.append(Table(kind, tuple(_rows(runs, chosen)), steps))
    return tuple(found)


def _rows(runs: Sequence[Compared], columns: Sequence[Column | None]) -> Iterator[Row]:
    """In the order of the runs; one row for each name and way."""
    groups: dict[tuple[str, _Way], list[Measurement | None]] = {}
    for i, (run, column) in enumerate(zip(runs, columns, strict=True)):
        for found in column.measurements if column else ():
            way = _Way(found.features, found.count, run.judged_by)
            groups.setdefault((found.name, way), [None] * len(runs))[i] = found
    order = list(dict.fromkeys(_title(name) for name, _ in groups))
    for (name, way), cells in sorted(groups.items(), key=lambda g: order.index(_title(g[0][0]))):
        flattering = any(column is not None and column.flatters for column in columns)
        best = None if flattering else surely_best(cells)
        alike = [other for n, other in groups if _title(n) == _title(name)]
        remark = _remark(way, cells, alike)
        if not remark and best is None and _judgeable(cells) and not flattering:
            remark = "too close to tell"
        yield Row(name, tuple(cells), best, remark)


def _title(name: str) -> str:
    """The name without the network in brackets."""
    return name.partition(" (")[0]


def _remark(way: _Way, cells: Sequence[Measurement | None], alike: Sequence[_Way]) -> str:
    """Why some runs are missing in a row."""
    if None not in cells:
        return ""
    said = []
    if len({other.dataset for other in alike}) > 1:
        said.append(f"against {way.dataset}")
    if len({other.count for other in alike}) > 1 and way.count is not None:
        said.append(f"from {way.count:,} pictures")
    if len({other.features for other in alike}) > 1 and way.features:
        said.append(f"with {way.features}")
    if not said:
        return "not measured for every run"
    return f"not comparable with other rows: measured {' '.join(said)}"


def surely_best(cells: Sequence[Measurement | None]) -> int | None:
    """The one whose interval lies wholly on the better side of all others, if there is one."""
    if not _judgeable(cells):
        return None
    found = [(i, cell) for i, cell in enumerate(cells) if cell is not None]
    lower = found[0][1].better_is_lower
    for i, cell in found:
        low, high = _ends(cell)
        others = [_ends(other) for j, other in found if j != i]
        if all(high < other[0] if lower else low > other[1] for other in others):
            return i
    return None


def _judgeable(cells: Sequence[Measurement | None]) -> bool:
    """Whether there are several, all have an interval, and they agree on what is better."""
    present = [cell for cell in cells if cell is not None]
    complete = all(None not in (c.low, c.high, c.better_is_lower) for c in present)
    return complete and len(present) > 1 and len({c.better_is_lower for c in present}) == 1


def _ends(cell: Measurement) -> tuple[float, float]:
    assert cell.low is not None and cell.high is not None
    return cell.low, cell.high


# Recipes


def differing_settings(runs: Sequence[Compared]) -> list[tuple[str, tuple[str, ...]]]:
    """Every setting that is not the same in all runs, as written in a recipe; – where absent."""
    flat = [dict(_flattened(run.run.recipe.model_dump(mode="json"))) for run in runs]
    paths = dict.fromkeys(path for settings in flat for path in settings)
    found = [(path, tuple(settings.get(path, "–") for settings in flat)) for path in paths]
    return [(path, values) for path, values in found if len(set(values)) > 1]


def _flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flattened(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)
