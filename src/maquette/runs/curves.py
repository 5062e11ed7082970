"""From the lines of a history to curves that can be drawn, honest about what was abandoned.

After a rollback training repeats steps it had done before; the earlier attempt stays in the history
and in the curves, marked as not kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_CLOCKS = ("step", "images", "seconds")
_ENDS = ("_low", "_high")  # of the interval of the number with the name before it
Clock = Literal["images", "minutes"]
_Point = tuple[float, float, bool, float, float]  # time, value, whether kept, low, high


@dataclass(frozen=True)
class Curve:
    """One number over training; arrays of equal length in the order of the history."""

    at: NDArray[np.float64]  # training images seen, or minutes
    values: NDArray[np.float64]
    kept: NDArray[np.bool_]  # False where a rollback went back to an earlier step
    band: NDArray[np.float64] | None = None  # (n, 2): ends of the interval, nan where there is none

    def branches(self) -> Iterator["Curve"]:
        """Unbroken pieces: the kept points as one, each abandoned attempt on its own."""
        if self.kept.any():
            yield self.where(self.kept)
        changes = np.flatnonzero(np.diff(self.kept.astype(int)) | (np.diff(self.at) < 0)) + 1
        for piece in np.split(np.arange(len(self.kept)), changes):
            if piece.size and not self.kept[piece[0]]:
                start = max(0, piece[0] - 1)  # from the point it left the kept curve
                yield self.where(slice(start, piece[-1] + 1))

    def where(self, chosen: slice | NDArray[np.bool_]) -> "Curve":
        band = None if self.band is None else self.band[chosen]
        return Curve(self.at[chosen], self.values[chosen], self.kept[chosen], band)


def read_curves(lines: Sequence[Mapping[str, Any]], clock: Clock = "images") -> dict[str, Curve]:
    """Every finite number in the lines that are no events, by name, in the order they appear.

    A point is kept unless a later line is of an earlier step, or of the same step and name.
    `score_low` and `score_high` beside `score` are the band of its curve, likewise for other names.
    """
    points: dict[str, list[_Point]] = {}
    earliest, earliest_of = inf, dict[str, float]()
    measured = [line for line in lines if "event" not in line and "step" in line]
    for line in reversed(measured):
        step = line["step"]
        for name in line:
            value = _number(line, name)
            if name in _CLOCKS or not isfinite(value) or _is_end(line, name):
                continue
            kept = step <= earliest and step < earliest_of.get(name, inf)
            low, high = (_number(line, name + end) for end in _ENDS)
            points.setdefault(name, []).append((_time(line, clock), value, kept, low, high))
            earliest_of[name] = min(step, earliest_of.get(name, inf))
        earliest = min(step, earliest)
    names = dict.fromkeys(name for line in measured for name in line)
    return {name: _curve(points[name][::-1]) for name in names if name in points}


def smoothed(curve: Curve, most_points: int = 240) -> Curve:
    """The trend: a running median, so that single spikes leave no trace, then a running mean.

    Of at most so many pieces; both windows are a twentieth of the whole.
    """
    pieces = np.array_split(np.arange(len(curve.values)), min(most_points, len(curve.values)))
    at = np.array([curve.at[piece].mean() for piece in pieces])
    values = np.array([np.median(curve.values[piece]) for piece in pieces])
    reach = len(pieces) // 40
    values = np.median(_windows(values, reach), axis=1)
    values = np.mean(_windows(values, reach), axis=1)
    return Curve(at, values, np.ones(len(pieces), dtype=bool))


def thinned(curve: Curve, most_points: int = 800) -> Curve:
    """The lowest and the highest of each of equal pieces: every spike keeps its height."""
    if len(curve.values) <= most_points:
        return curve
    pieces = np.array_split(np.arange(len(curve.values)), most_points // 2)
    extremes = [
        sorted((piece[curve.values[piece].argmin()], piece[curve.values[piece].argmax()]))
        for piece in pieces
    ]
    chosen = np.zeros(len(curve.values), dtype=bool)
    chosen[np.array(extremes).ravel()] = True
    return curve.where(chosen)


def _windows(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(n, 2 reach + 1): each value with its neighbours, the ends repeated."""
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _time(line: Mapping[str, Any], clock: Clock) -> float:
    if clock == "minutes":
        return float(line.get("seconds", 0)) / 60
    return float(line.get("images", line["step"]))


def _number(line: Mapping[str, Any], name: str) -> float:
    """What stands there; nan where there is none."""
    value = line.get(name)
    return value if isinstance(value, int | float) else nan


def _is_end(line: Mapping[str, Any], name: str) -> bool:
    """Whether it is one end of the interval of another number of the line."""
    return any(name.endswith(end) and name.removesuffix(end) in line for end in _ENDS)


def _curve(points: Sequence[_Point]) -> Curve:
    at, values, kept, low, high = zip(*points, strict=True)
    band = np.array([low, high], float).T
    known = np.isfinite(band).all(axis=1).any()
    return Curve(
        np.array(at, float), np.array(values, float), np.array(kept, bool), band if known else None
    )
