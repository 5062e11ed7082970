"""How soon a classifier knows what is being drawn: its accuracy as the drawing grows."""

import numpy as np
from PIL import Image

from maquette.evaluation.classification import classification
from maquette.evaluation.evidence import Answers
from maquette.runs.panels import RIGHT, RULE, WRONG, drawing, picture_of


def unfinished_picture(answers: Answers) -> Image.Image:
    """Top-1 and top-3 over the share of each drawing's points that is there, with 95 % bands."""
    states = {**answers.unfinished, 1.0: answers.logits}
    shares = sorted(states)
    found = [classification(states[share], answers.labels) for share in shares]
    with drawing(7.5, 4.0) as figure:
        axes = figure.subplots()
        for words, colour, scores in (
            ("among the first three", WRONG, [f.top_3 for f in found]),
            ("first answer", RIGHT, [f.top_1 for f in found]),
        ):
            values = np.array([score.value for score in scores])
            axes.plot(shares, values, color=colour, marker="o", markersize=4, label=words)
            low, high = [s.low for s in scores], [s.high for s in scores]
            axes.fill_between(shares, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.set_xlabel("share of the drawing that is there")
        axes.set_ylabel("share of right answers")
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="y", color=RULE, linewidth=0.7)
        axes.tick_params(length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
        return picture_of(figure)
