"""The reliability diagram of a classifier: how often it is right, when it says how sure it is."""

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from maquette.evaluation.calibration import Calibration, at_temperature, calibration
from maquette.evaluation.confidence import cross_fitted
from maquette.evaluation.evidence import Answers
from maquette.runs.panels import MUTED, RIGHT, RULE, WRONG, drawing, picture_of


def reliability_picture(answers: Answers) -> Image.Image:
    """As its logits say, and at a temperature; below, how many answers are how sure.

    The temperature is the one it answers with; for held-out pictures of its own dataset, on which
    that was fitted, each half of them at the temperature of the other half.
    """
    plain = calibration(at_temperature(answers.logits, 1.0), answers.labels)
    if answers.foreign:
        probabilities = at_temperature(answers.logits, answers.temperature)
        title = f"as it answers, temperature {answers.temperature:.3g}"
    else:
        probabilities, title = cross_fitted(answers.logits, answers.labels), "cross-fitted"
    drawn = (
        (plain, "without temperature", WRONG),
        (calibration(probabilities, answers.labels), title, RIGHT),
    )
    with drawing(9.0, 5.0) as figure:
        cells = figure.subplots(2, 2, sharex=True, height_ratios=[3.4, 1], squeeze=False)
        for column, (found, words, colour) in enumerate(drawn):
            _draw_bins(cells[0, column], found, words, colour)
            _draw_counts(cells[1, column], found, colour)
        cells[0, 0].set_ylabel("share of right answers")
        cells[1, 0].set_ylabel("answers")
        return picture_of(figure)


def _draw_bins(axes: Axes, found: Calibration, words: str, colour: str) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    confidence = np.array([b.confidence for b in found.bins])
    accuracy = np.array([b.accuracy for b in found.bins])
    reach = np.abs(np.array([(b.low, b.high) for b in found.bins]).T - accuracy)
    axes.errorbar(
        confidence,
        accuracy,
        reach,
        color=colour,
        marker="o",
        markersize=5,
        linewidth=1.6,
        elinewidth=1,
        ecolor=colour,
    )
    axes.set_title(f"{words}: error {found.error:.3f}", fontsize=11, loc="left")
    axes.set(xlim=(0, 1.01), ylim=(-0.015, 1.015))
    _plain(axes)


def _draw_counts(axes: Axes, found: Calibration, colour: str) -> None:
    places = [b.confidence for b in found.bins]
    axes.bar(places, [b.count for b in found.bins], width=0.045, color=colour, alpha=0.6)
    axes.set_xlabel("confidence of the answer")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
