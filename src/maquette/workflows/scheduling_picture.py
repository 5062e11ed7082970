"""A schedule as one picture: a photo under more and more noise, and below it how much is left."""

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter
from PIL import Image
from torch import Tensor

from maquette.core.images import Pixels
from maquette.noising.checking import EARLY, GONE, LEFT
from maquette.runs.panels import MUTED, RIGHT, RULE, WRONG, bare, drawing, picture_of

Signal = Float[Tensor, " points"]  # share of the variance that is signal, from first to last
_LEAST = 1e-5  # where the logarithmic axis ends; less is nothing


def strip_and_curve(
    pictures: Pixels, signal: Signal, at_pictures: Float[Tensor, " batch"]
) -> Image.Image:
    """`pictures` at evenly spaced times of training, `at_pictures` their signal; `signal` at as
    many times as there are points."""
    count = len(pictures)
    with drawing(9.0, 4.2) as figure:
        places = figure.add_gridspec(2, count, height_ratios=(1, 2.4))
        for index, tile in enumerate(pictures):
            axes = figure.add_subplot(places[0, index])
            bare(axes)
            shown = tile.permute(1, 2, 0).squeeze(2).numpy()
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(_percent(float(at_pictures[index])), fontsize=8, color=MUTED)
        _draw_curve(figure.add_subplot(places[1, :]), signal)
        return picture_of(figure)


def _draw_curve(axes: Axes, signal: Signal) -> None:
    """The curve, and the two corners that it must keep out of (see noising/checking.py)."""
    along = [(i + 0.5) / len(signal) for i in range(len(signal))]
    axes.plot(along, signal.clamp(min=_LEAST).tolist(), color=RIGHT, linewidth=1.8)
    axes.set_yscale("log")
    axes.set_ylim(_LEAST, 1.5)
    axes.set_xlim(0, 1)
    axes.fill_between([0, EARLY], _LEAST, GONE, color=WRONG, alpha=0.14, linewidth=0)
    axes.fill_between([0.985, 1], LEFT, 1.5, color=WRONG, alpha=0.14, linewidth=0)
    axes.text(EARLY / 2, GONE / 2, "too early", color=WRONG, ha="center", va="top")
    axes.text(0.98, 0.9, "too much left", color=WRONG, ha="right", va="top")
    axes.set_xlabel("steps of the schedule")
    axes.set_ylabel("signal left")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: _percent(share)))
    axes.grid(color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%" if share >= 0.99 * _LEAST else f"<{_LEAST:.3%}"
