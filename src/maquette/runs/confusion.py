"""Which classes a classifier takes for which: a matrix where it can be read, and the worst mix-ups.

Notable: the matrix shows shares of each true class, so that rare classes are seen as well; the
mix-ups are listed with pictures, the mistakes it was surest of, for two classes and for hundreds.
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from PIL import Image

from maquette.core.images import Pixels
from maquette.evaluation.classification import classification
from maquette.evaluation.evidence import Answers
from maquette.runs.panels import INK, MUTED, PAPER, RIGHT, WRONG, bare, drawing, picture_of

MOST_CLASSES = 40  # of which names beside a matrix can be read
MOST_CLASSES_WITH_NUMBERS = 15
MOST_MIX_UPS, MOST_EXAMPLES = 8, 6
_LONGEST_NAME = 18
_WIDTH_INCHES, _ROW_INCHES = 9.0, 0.85


@dataclass(frozen=True)
class MixUp:
    """Pictures of one class taken for another."""

    true: str
    answered: str
    count: int
    of: int  # pictures of the true class
    examples: Pixels  # the surest mistakes first


def confusion_picture(answers: Answers) -> Image.Image:
    """The matrix for at most 40 classes; below it, or alone, the most frequent mix-ups."""
    found = classification(answers.logits, answers.labels).confusion.numpy()
    pairs = mix_ups(answers)
    side = 0.0
    if len(answers.classes) <= MOST_CLASSES:
        side = min(9.0, 3.2 + 0.3 * len(answers.classes))
    below = 0.45 + _ROW_INCHES * max(1, len(pairs))
    with drawing(_WIDTH_INCHES, side + below) as figure:
        if not side:
            _draw_mix_ups(figure, pairs)
        else:
            above, under = figure.subfigures(2, 1, height_ratios=[side, below], squeeze=False)[:, 0]
            _draw_matrix(above, found, answers.classes)
            _draw_mix_ups(under, pairs)
        return picture_of(figure)


def mix_ups(answers: Answers, most: int = MOST_MIX_UPS) -> list[MixUp]:
    """The most frequent ones; of equally frequent ones those of the rarer class first."""
    found = classification(answers.logits, answers.labels).confusion
    sizes = found.sum(1)
    wrong = found.clone().fill_diagonal_(0)
    places = wrong.nonzero().tolist()
    places.sort(key=lambda place: (-int(wrong[place[0], place[1]]), int(sizes[place[0]])))
    confidence, given = answers.logits.softmax(1).max(1)
    named = []
    for true, answer in places[:most]:
        rows = ((answers.labels == true) & (given == answer)).nonzero()[:, 0]
        surest = rows[confidence[rows].argsort(descending=True)][:MOST_EXAMPLES]
        named.append(
            MixUp(
                answers.classes[true],
                answers.classes[answer],
                len(rows),
                int(sizes[true]),
                answers.pixels[surest],
            )
        )
    return named


def _draw_matrix(figure: SubFigure, counts: np.ndarray, classes: tuple[str, ...]) -> None:
    """Shares of each row; right answers in one colour, mistakes in another, which is stronger."""
    axes = figure.subplots()
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    diagonal = np.eye(len(classes), dtype=bool)
    most = {True: 1.0, False: max(0.1, shares[~diagonal].max())}  # the darkest of each colour
    for where, colour, darkest in ((diagonal, RIGHT, most[True]), (~diagonal, WRONG, most[False])):
        colours = LinearSegmentedColormap.from_list("", [PAPER, colour])
        axes.imshow(np.where(where, shares, np.nan), cmap=colours, vmin=0, vmax=darkest)
    if len(classes) <= MOST_CLASSES_WITH_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                ink = PAPER if shares[row, column] > 0.55 * most[bool(row == column)] else INK
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=ink)
    names = [_short(name) for name in classes]
    long = max(map(len, names)) > 3
    size = 9 if len(classes) <= 20 else 7
    axes.set_xticks(range(len(classes)), names, rotation=60 if long else 0, fontsize=size)
    if long:
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), names, fontsize=size)
    axes.tick_params(length=0)
    axes.set_xlabel("answered")
    axes.set_ylabel("true class")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_mix_ups(figure: Figure | SubFigure, pairs: list[MixUp]) -> None:
    """A line each: what for what, how often, and pictures."""
    rows = max(1, len(pairs))
    cells = figure.subplots(
        rows, MOST_EXAMPLES + 1, squeeze=False, width_ratios=[3.2] + [1] * MOST_EXAMPLES
    )
    for axes in cells.flat:
        bare(axes)
    figure.suptitle("Most frequent mix-ups", x=0.02, ha="left", fontsize=11, color=INK)
    if not pairs:
        cells[0, 0].text(0, 0.5, "None: every answer was right.", color=MUTED)
    for row, pair in zip(cells, pairs, strict=False):
        said = f"{_short(pair.true)} taken for {_short(pair.answered)}"
        row[0].text(0, 0.56, said, va="bottom", transform=row[0].transAxes)
        often = f"{pair.count:,} of {pair.of:,} ({pair.count / pair.of:.0%})"
        row[0].text(0, 0.42, often, va="top", color=MUTED, transform=row[0].transAxes)
        for axes, pixels in zip(row[1:], pair.examples, strict=False):
            axes.imshow(_shown(pixels), cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _shown(pixels: torch.Tensor) -> np.ndarray:
    """As matplotlib takes a picture, grey or RGB."""
    array: np.ndarray = pixels.permute(1, 2, 0).numpy()
    return array[:, :, 0] if array.shape[2] == 1 else array


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
