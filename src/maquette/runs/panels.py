"""The paper that drawings of an evaluation share: figures as PNGs, in the colours of the pages.

Names come from people: they are drawn as they are, never read as formulas.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

PAPER, INK, MUTED, RULE = "#fbfaf8", "#22211f", "#75716a", "#e7e3dc"
RIGHT, WRONG = "#2f6f73", "#c4692d"
_DOTS_AN_INCH = 130
_STYLE = {
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": RULE,
    "axes.facecolor": PAPER,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": PAPER,
}


@contextmanager
def drawing(width_inches: float, height_inches: float) -> Iterator[Figure]:
    """A figure to draw on in this style; make it a picture inside."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width_inches, height_inches))
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
        yield figure


def picture_of(figure: Figure) -> Image.Image:
    """RGB."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_AN_INCH)
    return Image.open(buffer).convert("RGB")


def bare(axes: Axes) -> None:
    """No frame and no ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
