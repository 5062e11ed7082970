"""Templates of overlays: found among pictures of one view, from a block that some agree in.

A template begins as the mean of few pictures in one block, and grows: all pictures are compared
with it, those above what chance reaches are averaged, and so on. It must fit best where it is (what
is merely alike, like eyes in portraits, does not), over pictures that differ elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float32, Int8

from maquette.data.findings.views import ONE, View

LEAST_PICTURES = 12  # that share an overlay
_SEEDS = 250  # of them, each tried as one with an overlay
_BLOCK_PX = 16, 32  # height and width, much like words
_STEP_PX = 12, 20
_LEAST_STRUCTURE = 0.08  # mean square of a block, where 1 is usual; below it the block is flat
_FRIENDS = 8  # those most like a seed
_AGREE = 0.06  # mean correlation among a seed's friends, above that of most, worth a closer look
_TRIES = 24  # in each view, the most agreeing first
_ROUNDS = 4  # of improving a template
_LEAST_INK_PX = 40  # of a template
_LEAST_CORRELATION = 0.2
_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
_FAR_PX = 7  # where a template fits by chance only
_CHANCES = 1000  # pictures for which that is tried
_FEW = 20  # pictures; fewer do not tell what is chance
_UNLIKELY = 0.9998  # share of such correlations that are below the one needed
_TOLERANCE = 0.03  # of correlation, by which a template may fit better a pixel or two away
_LOCKED = 0.75  # share of pictures where it fits best in its own place
_SAME_SCENE = 0.35  # share of blocks that agree in two pictures of one scene


@dataclass(frozen=True)
class Template:
    """What the pictures with one overlay have in common in a view."""

    view: View
    values: Float32[np.ndarray, "h w"]  # unit length; 0 outside the overlay
    least: float  # correlation from which a picture counts as marked
    pictures: frozenset[int]  # of the sample

    def scores(self, stack: Int8[np.ndarray, "n h w"]) -> Float32[np.ndarray, " n"]:
        return _correlations(stack, self.values)

    @property
    def place(self) -> str:
        """In words: "bottom right"."""
        weights = np.abs(self.values).reshape(2, self.view.height, self.view.width).sum(0)
        y = float(weights.sum(1) @ np.linspace(0, 1, len(weights)) / weights.sum())
        x = float(weights.sum(0) @ np.linspace(0, 1, weights.shape[1]) / weights.sum())
        if self.view.scale != "stretched":
            y, x = self.view.anchor
        vertical = "top" if y < 0.36 else "bottom" if y > 0.64 else ""
        horizontal = "left" if x < 0.36 else "right" if x > 0.64 else ""
        return " ".join(filter(None, (vertical, horizontal))) or "middle"


def share(some: frozenset[int], others: frozenset[int]) -> float:
    return len(some & others) / len(some)


def templates_in(view: View, stack: Int8[np.ndarray, "n h w"]) -> list[Template]:
    """All that are found in one view."""
    found: list[Template] = []
    for _, top, left, group in sorted(_agreeing(stack), key=lambda some: -some[0])[:_TRIES]:
        if any(share(frozenset(group), template.pictures) > 0.5 for template in found):
            continue
        values = np.zeros(stack.shape[1:], np.float32)
        block = _block(top, left)
        values[block] = stack[(np.array(group), *block)].mean(0, dtype=np.float32)
        template = _improved(view, stack, group, values)
        if template is not None:
            found.append(template)
    return found


def _agreeing(stack: Int8[np.ndarray, "n h w"]) -> Iterator[tuple[float, int, int, list[int]]]:
    """(agreement, top, left, pictures) of the most agreeing small groups of each block."""
    height, width = stack.shape[1] // 2, stack.shape[2]
    tops = range(0, height - _BLOCK_PX[0] + 1, _STEP_PX[0])
    lefts = range(0, width - _BLOCK_PX[1] + 1, _STEP_PX[1])
    starts = [*tops, *(height + top for top in tops)]  # in grey, then in colour
    for number, (top, left) in enumerate(product(starts, lefts)):
        for agreement, group in _groups(_described(stack[:, *_block(top, left)]), number):
            yield agreement, top, left, group


def _block(top: int, left: int) -> tuple[slice, slice]:
    return slice(top, top + _BLOCK_PX[0]), slice(left, left + _BLOCK_PX[1])


def _described(blocks: Int8[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n d"]:
    """Unit length, or 0 for flat ones; what runs straight through a block does not count."""
    values = _without_lines(blocks.astype(np.float32) / ONE)
    values = values.reshape(len(blocks), -1)
    square = (values**2).mean(1, keepdims=True)
    scaled = values / np.sqrt(np.maximum(square, 1e-6) * values.shape[1])
    return np.where(square < _LEAST_STRUCTURE, np.float32(0), scaled)


def _without_lines(values: Float32[np.ndarray, "*n h w"]) -> Float32[np.ndarray, "*n h w"]:
    """Horizons and frames are at the same place in many pictures, as whole rows and columns."""
    rows, columns = values.mean(-1, keepdims=True), values.mean(-2, keepdims=True)
    result: Float32[np.ndarray, "*n h w"] = values - rows - columns
    result += values.mean((-2, -1), keepdims=True)
    return result


def _groups(
    described: Float32[np.ndarray, "n d"], number: int
) -> Iterator[tuple[float, list[int]]]:
    """Seeds with their friends, if these are like each other, not only like the seed."""
    every = -(-len(described) // _SEEDS)  # other seeds for each block
    seeds = np.arange(number % every, len(described), every)
    seeds = seeds[described[seeds].any(1)]
    if len(described) <= _FRIENDS or not len(seeds):
        return
    likeness = described[seeds] @ described.T
    likeness[np.arange(len(seeds)), seeds] = -1
    friends = np.argpartition(-likeness, _FRIENDS, axis=1)[:, :_FRIENDS]
    sums = described[friends].sum(1)
    counts = described[friends].any(2).sum(1)
    agreement = ((sums**2).sum(1) - counts) / np.maximum(counts * (counts - 1), 1)
    agreement[counts < _FRIENDS] = 0
    agreement -= np.median(agreement)  # how alike any pictures are at this place
    for place in np.argsort(-agreement)[:3]:
        if agreement[place] > _AGREE:
            yield float(agreement[place]), [int(seeds[place]), *friends[place].tolist()]


def _improved(
    view: View,
    stack: Int8[np.ndarray, "n h w"],
    group: list[int],
    values: Float32[np.ndarray, "h w"],
) -> Template | None:
    """From a block to the whole overlay; None if it turns out to be none."""
    marked = np.zeros(len(stack), bool)
    marked[group] = True
    least = 0.0
    for _ in range(_ROUNDS):
        values = _unit(values)
        if np.count_nonzero(values) < _LEAST_INK_PX:
            return None
        scores = _correlations(stack, values)
        scores[marked] = _left_out(scores[marked])
        others = scores < np.median(scores[marked]) / 2  # not those missed so far
        least = _chance(stack[others] if others.sum() > _FEW else stack, values)
        marked = scores >= least
        if marked.sum() < LEAST_PICTURES * 2 // 3:
            return None
        values = _common(stack[marked])
    values = _unit(values)
    members = np.flatnonzero(marked)
    if not _locked(stack[members], values) or _one_scene(stack[members], values):
        return None
    return Template(view, values, least, frozenset(members.tolist()))


def _common(stack: Int8[np.ndarray, "n h w"]) -> Float32[np.ndarray, "h w"]:
    """The mean, and 0 where chance would do as much."""
    mean: Float32[np.ndarray, "h w"] = stack.mean(0, dtype=np.float32) / ONE
    chance = 3 / np.sqrt(len(stack))
    least = max(chance, 0.3 * float(np.quantile(np.abs(mean), 0.99)))
    mean[np.abs(mean) < least] = 0
    height = len(mean) // 2
    mean[[0, height - 1, height, -1]] = 0  # where thumbnails end, all are a little alike
    mean[:, [0, -1]] = 0
    return mean


def _unit(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Without lines inside its bounding box."""
    rows, columns = np.flatnonzero(values.any(1)), np.flatnonzero(values.any(0))
    result = np.zeros_like(values)
    if len(rows):
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        result[box] = np.where(values[box] == 0, 0, _without_lines(values[box]))
    return result / max(float(np.linalg.norm(result)), 1e-6)


def _correlations(
    stack: Int8[np.ndarray, "n h w"], values: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, " n"]:
    """With a template of unit length, over the pixels where it is not 0."""
    inside = values != 0
    pixels = stack[:, inside].astype(np.float32)
    length = np.maximum(np.linalg.norm(pixels, axis=1), ONE)
    result: Float32[np.ndarray, " n"] = pixels @ values[inside] / length
    return result


def _left_out(scores: Float32[np.ndarray, " m"]) -> Float32[np.ndarray, " m"]:
    """About what they would be if the picture itself were not in the mean."""
    # A mean of m pictures that are like it by chance only holds 1/sqrt(m) of each.
    return scores - np.float32(0.5 / np.sqrt(max(len(scores), 1))) * (1 - scores)


def _chance(others: Int8[np.ndarray, "n h w"], values: Float32[np.ndarray, "h w"]) -> float:
    """More than almost any of these reaches where the overlay is not."""
    others = others[:_CHANCES]
    shifts = [(y * _FAR_PX, x * _FAR_PX) for y, x in _AROUND]
    scores = [_correlations(others, _shifted(values, *shift)) for shift in shifts]
    return max(float(np.quantile(scores, _UNLIKELY)), _LEAST_CORRELATION)


def _locked(stack: Int8[np.ndarray, "n h w"], values: Float32[np.ndarray, "h w"]) -> bool:
    """What is only alike, like eyes in portraits, fits best at another place in each picture."""
    shifts = [(y * far, x * far) for far in (1, 2) for y, x in _AROUND]
    shifted = [_correlations(stack, _shifted(values, *shift)) for shift in shifts]
    best = _correlations(stack, values) + _TOLERANCE >= np.max(shifted, axis=0)
    return bool(best.mean() >= _LOCKED)


def _shifted(
    values: Float32[np.ndarray, "h w"], down: int, right: int
) -> Float32[np.ndarray, "h w"]:
    """Grey and colour each for itself; what leaves at one side comes back at the other."""
    both = values.reshape(2, -1, values.shape[1])
    return np.roll(both, (down, right), (1, 2)).reshape(values.shape)


def _one_scene(stack: Int8[np.ndarray, "n h w"], values: Float32[np.ndarray, "h w"]) -> bool:
    """Whether the pictures agree elsewhere too, like those of a camera that does not move."""
    outside = values == 0
    pixels = stack[:60][:, outside].astype(np.float32)
    pixels /= np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), ONE)
    likeness = pixels @ pixels.T
    others = likeness[~np.eye(len(pixels), dtype=bool)]
    return bool(np.median(others) > _SAME_SCENE)
