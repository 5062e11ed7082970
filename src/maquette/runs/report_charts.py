"""Which curves a report draws, in which order, and the words around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from maquette.runs.charts import SERIES, draw
from maquette.runs.curves import Curve

SCORES = {  # by name in the history: title, axis, what it means
    "sliced_wasserstein": (
        "Distance to real pictures",
        "sliced Wasserstein",
        "Against held-out pictures. Lower is better; 0 would be the very same ones.",
    ),
    "diversity": (
        "Diversity",
        "share of the real",
        "How much pictures differ from each other. 1 is as varied as the real ones, 0 all alike.",
    ),
    "class_spread": (
        "Spread inside classes",
        "share of the real",
        "How much pictures of a class differ, on average over classes. 0 is one picture a class.",
    ),
    "top_1": (
        "Right answers",
        "share",
        "Of held-out pictures, by the first answer. Higher is better; 1 is every one.",
    ),
    "map_3": ("MAP@3", "MAP@3", "How early the right class comes among three answers. 1 is first."),
    "held_out_loss": (
        "Loss on held-out pictures",
        "nats",
        "Lower is better. Rising while answers stay right: it grows too sure of itself.",
    ),
    "content_kept": (
        "Content kept",
        "similarity",
        "How alike pictures and their translations are. 1 is nothing changed.",
    ),
    "score": ("Score", "score", "What chooses the weights served. Lower is better."),
}
_BAND = " Band: 95 % interval, for other pictures from the same weights."
_BY_PLAYER = {  # by ending of the name: title, axis, what it means
    "learning_rate": ("Learning rates", "learning rate", "The size of each player's steps."),
    "gradient_norm": ("Gradient norms", "norm", "Before clipping, on the way to each step."),
}


@dataclass(frozen=True)
class Chart:
    """A drawing and the words around it."""

    title: str
    explanation: str
    svg: Markup
    legend: tuple[tuple[str, int], ...] = ()  # name and number of the colour
    wide: bool = False


def main_charts(
    curves: dict[str, Curve],
    events: Sequence[Mapping[str, Any]],
    served_images: float | None,
) -> list[Chart]:
    """The losses over the whole width, then the scores; all are taken out of the curves."""
    charts = []
    losses = {p: curves.pop(p) for p in _players(curves) if p in curves}
    if losses:
        rollbacks = [e["images"] for e in events if e["event"] == "rollback" and "images" in e]
        drawing = draw(
            list(losses.values()),
            "loss",
            size_inches=(9.6, 2.9),
            smooth=True,
            alarms_at=rollbacks,
        )
        words = "Bold: the trend. Faint: as it was. Dotted: given up when training went back."
        charts.append(Chart("Losses", words, Markup(drawing), legend(losses), wide=True))
    for name, (title, axis, explanation) in SCORES.items():
        if name in curves:
            curve = curves.pop(name)
            drawing = draw([curve], axis, served_at=[served_images])
            words = (
                f"{explanation} Ring: the weights served.{_BAND if curve.band is not None else ''}"
            )
            charts.append(Chart(title, words, Markup(drawing)))
    return charts


def other_charts(curves: dict[str, Curve]) -> list[Chart]:
    """Rates and gradient norms of the players, then each note of the family's."""
    charts = []
    players = _players(curves)
    for ending, (title, axis, explanation) in _BY_PLAYER.items():
        found = {p: curves.pop(f"{p}/{ending}") for p in players if f"{p}/{ending}" in curves}
        if found:
            drawing = draw(list(found.values()), axis, smooth=ending == "gradient_norm")
            charts.append(Chart(title, explanation, Markup(drawing), legend(found)))
    for name, curve in curves.items():
        title = name.replace("_", " ").replace("/", ": ")
        charts.append(Chart(title, "", Markup(draw([curve], "", smooth=True))))
    return charts


def legend(curves: Mapping[str, Curve]) -> tuple[tuple[str, int], ...]:
    """Names and the numbers of their colours."""
    return tuple((name, i % SERIES) for i, name in enumerate(curves))


def _players(curves: Mapping[str, Curve]) -> list[str]:
    """Whose rates and gradient norms are in the history, in its order."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in curves if "/" in name))
