"""Which scene of a film each frame belongs to.

A cut is a change far above what the film's movement makes from frame to frame. Gradual changes are
no cuts: two scenes taken for one only make a larger group, one scene taken for two would leak from
training to test. For the same reason a film that comes back to where it was, after a flash or in a
dialogue, continues the earlier scene.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

_Thumbnail = Float32[np.ndarray, "rows columns 3"]

_TIMES_USUAL = 4.0  # a cut is this many times the usual change
_MEMORY = 0.9  # of the usual change, from one frame to the next
_SAME = 0.05  # a smaller difference to the end of an earlier scene continues it
_REMEMBERED = 16  # scenes


@dataclass(frozen=True)
class _Look:
    """What is compared: where the colours are, and how many of each there are."""

    thumbnail: _Thumbnail
    colours: Float32[np.ndarray, "pixels 3"]  # each channel sorted


class Scenes:
    """Numbers scenes from 1, given every frame in order."""

    def __init__(self, least_change: float):
        """A smaller change is never a cut; frames far apart in time change more."""
        self._least_change = least_change
        self._usual_change: float | None = None
        self._number = self._count = 1
        self._last: _Look | None = None
        self._ends: OrderedDict[int, _Look] = OrderedDict()

    def number(self, thumbnail: _Thumbnail) -> int:
        """Of the scene that the next frame, a tiny copy with values 0..1, belongs to."""
        look = _Look(thumbnail, np.sort(thumbnail.reshape(-1, 3), axis=0))
        if self._last is not None:
            change = _difference(look, self._last)
            usual = change if self._usual_change is None else self._usual_change
            if change > max(self._least_change, _TIMES_USUAL * usual):
                self._remember(self._last)
                self._number = self._continued(look)
            else:  # a cut says nothing of movement
                self._usual_change = _MEMORY * usual + (1 - _MEMORY) * change
        self._last = look
        return self._number

    def _remember(self, end: _Look) -> None:
        self._ends[self._number] = end
        self._ends.move_to_end(self._number)
        if len(self._ends) > _REMEMBERED:
            self._ends.popitem(last=False)

    def _continued(self, look: _Look) -> int:
        for number, end in reversed(self._ends.items()):
            if _difference(look, end) < _SAME:
                return number
        self._count += 1
        return self._count


def _difference(one: _Look, other: _Look) -> float:
    """Of places and of colours, 0 to 2; the latter do not change when things only move.

    The second is the distance between colour histograms that needs no bins: the earth mover's
    distance in one dimension, the mean difference of sorted values.
    """
    places = np.abs(one.thumbnail - other.thumbnail).mean()
    colours = np.abs(one.colours - other.colours).mean()
    return float(places + colours)
