"""Curves as inline SVG that follows the page's colours, in light and in dark.

matplotlib draws with stand-in colours, which are then replaced by the page's CSS variables. The
drawings hold no text from a run: names and legends belong to the page, which escapes them.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from maquette.runs.curves import Clock, Curve, smoothed, thinned

SERIES = 6  # colours before they repeat: --series-0 … --series-5 in the page

_INK, _MUTED, _RULE = "#0b0001", "#0b0002", "#0b0003"
_STAND_INS = {_INK: "var(--ink)", _MUTED: "var(--muted)", _RULE: "var(--rule)"} | {
    f"#0c000{i}": f"var(--series-{i})" for i in range(SERIES)
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": _MUTED,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _MUTED,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": _RULE,
    "path.simplify_threshold": 0.5,
}


def draw(
    curves: Sequence[Curve],
    label: str,
    *,
    size_inches: tuple[float, float] = (4.6, 2.3),
    smooth: bool = False,
    clock: Clock = "images",
    served_at: Sequence[float | None] = (),
    alarms_at: Sequence[float] = (),
) -> str:
    """An <svg> of curves over `clock`, `label` (our own words) along the vertical axis.

    `smooth` draws a running median over the faint raw values, without bands. Abandoned attempts are
    faint and dotted, alarms are thin vertical lines, `served_at` (one a curve) is where the served
    weights were taken.
    """
    salt = f"{label}{size_inches}{len(curves)}{clock}"  # names inside a drawing, unique in a page
    with mpl.rc_context(_STYLE | {"svg.hashsalt": salt}):
        figure = Figure(figsize=size_inches, layout="constrained")
        axes = figure.add_subplot()
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        for i, curve in enumerate(curves):
            _draw_curve(axes, curve, f"#0c000{i % SERIES}", smooth)
        for at in alarms_at:
            axes.axvline(at, color=_INK, linewidth=0.8, alpha=0.5, linestyle=(0, (2, 2)))
        _mark_served(axes, curves, served_at)
        _dress(axes, curves, label, clock)
        return _as_page_element(figure)


def _draw_curve(axes: Axes, curve: Curve, colour: str, smooth: bool) -> None:
    for branch in curve.branches():
        if not branch.kept.all():
            raw = thinned(branch)
            axes.plot(raw.at, raw.values, color=colour, alpha=0.45, linewidth=1, linestyle=":")
            continue
        raw = thinned(branch)
        if smooth:
            axes.plot(raw.at, raw.values, color=colour, alpha=0.22, linewidth=0.7)
            raw = smoothed(branch)
        few = len(branch.values) <= 40 and not smooth
        marker = "o" if few else ""
        if raw.band is not None:
            axes.fill_between(raw.at, *raw.band.T, color=colour, alpha=0.18, linewidth=0)
        axes.plot(raw.at, raw.values, color=colour, linewidth=1.7, marker=marker, markersize=3)


def _mark_served(axes: Axes, curves: Sequence[Curve], served_at: Sequence[float | None]) -> None:
    """A ring on each curve where its weights were taken; a line as well on a single curve."""
    for i, (curve, at) in enumerate(zip(curves, served_at, strict=False)):
        if at is None:
            continue
        if len(curves) == 1:
            axes.axvline(at, color=_INK, linewidth=0.9, alpha=0.8)
        here = curve.where(curve.kept & np.isclose(curve.at, at))
        axes.plot(
            here.at,
            here.values,
            "o",
            color=f"#0c000{i % SERIES}",
            markersize=9,
            markerfacecolor="none",
            markeredgewidth=1.6,
        )


def _dress(axes: Axes, curves: Sequence[Curve], label: str, clock: Clock) -> None:
    """Axes that show the bulk of the kept values and bands: wild ones may leave the picture."""
    kept = [curve.where(curve.kept) for curve in curves]
    bands = [curve.band.ravel() for curve in kept if curve.band is not None]
    values = np.concatenate([curve.values for curve in kept] + bands)
    values = values[np.isfinite(values)]
    if not values.size:  # everything so far was given up
        values = np.concatenate([curve.values for curve in curves])
    low, high = np.quantile(values, [0.005, 0.995])
    margin = 0.12 * (high - low) or abs(high) / 2 or 1
    floor = 0 if 0 <= low < 0.35 * high else low - margin
    axes.set_ylim(floor, high + margin)
    axes.set_xlim(left=0)
    axes.grid(axis="y", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=clock == "images"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: in_thousands(x)))
    axes.set_xlabel("training images seen" if clock == "images" else "minutes of training")
    axes.set_ylabel(label)


def in_thousands(count: float) -> str:
    """950, 12k, 1.5M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"


def _as_page_element(figure: Figure) -> str:
    """Only the <svg>, scaling with its box, without metadata, in the page's colours."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = svg.replace("<svg", '<svg aria-hidden="true"', 1)
    return re.sub("|".join(_STAND_INS), lambda found: _STAND_INS[found[0]], svg)
