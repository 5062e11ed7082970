"""report.html: everything a run folder tells, on one page that needs nothing beside itself.

The final pictures and the verdict come first, then how it came to be. Whatever a run does not have
is left out, so a page can be written at any moment of training.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markupsafe import Markup

from maquette.core.errors import RunError
from maquette.core.files import write_text
from maquette.core.images import ImageSpec
from maquette.core.pages import data_uri, page_templates
from maquette.runs.charts import SERIES, draw
from maquette.runs.curves import Curve, read_curves
from maquette.runs.history import read_history

_MOST_PREVIEWS = 6
_ALARMS = ("rollback", "warning", "failed")
_SCORES = {  # by name in the history: title, axis, what it means
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
    "score": ("Score", "score", "What chooses the weights served. Lower is better."),
}
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


def write_report(run_folder: Path) -> Path:
    """Write report.html into the run folder, whole or not at all, and say where.

    Raises RunError when the folder has no readable run.json or cannot be written.
    """
    run = _read_json(run_folder / "run.json")
    if run is None:
        raise RunError(f"{run_folder} is not a run: it has no run.json")
    pages = page_templates("maquette.runs")
    pages.filters.update(number=_number, count="{:,}".format, duration=_duration, part=_part)
    page = pages.get_template("report.html.j2").render(_contents(run_folder, run))
    path = run_folder / "report.html"
    try:
        write_text(path, page)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path} cannot be written ({reason})") from error
    return path


def _contents(folder: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    lines = list(read_history(folder / "history.jsonl"))
    events = [line for line in lines if "event" in line]
    previews = sorted((folder / "previews").glob("[0-9]*.png"), key=lambda path: int(path.stem))
    served_step = (run.get("served") or {}).get("step")
    curves = read_curves(lines)
    if "sliced_wasserstein" in curves:
        curves.pop("score", None)  # the same number
    recipe, film = folder / "recipe.yaml", folder / "previews" / "progress.gif"
    return {
        "run": run,
        "name": run.get("name", folder.name),
        "spec": _spec_in_words(run.get("dataset", {}).get("spec")),
        "picture": _final_picture(folder, previews, served_step),
        "charts": _main_charts(curves, events, _images_at(lines, served_step)),
        "other_charts": _other_charts(curves),
        "previews": [(int(path.stem), _data_uri(path)) for path in _some(previews)],
        "film": _data_uri(film) if film.exists() else None,
        "events": events,
        "scores": _scores_at(lines, served_step),
        "alarms": sum(event["event"] in _ALARMS for event in events),
        "evaluation": _read_json(folder / "evaluation.json") or {},
        "recipe": recipe.read_text(encoding="utf-8") if recipe.exists() else None,
        "timings": _timings(lines),
    }


# Pictures


def _final_picture(
    folder: Path, previews: Sequence[Path], served_step: int | None
) -> tuple[str, str] | None:
    """The picture to open with, as data URI and caption."""
    if (folder / "samples.png").exists():
        return _data_uri(folder / "samples.png"), "New pictures, made with the weights served"
    until = [p for p in previews if served_step is None or int(p.stem) <= served_step]
    if not previews:
        return None
    shown = (until or list(previews))[-1]
    return _data_uri(shown), f"Preview at step {int(shown.stem):,}"


def _some(previews: Sequence[Path]) -> list[Path]:
    """A few, evenly chosen, with the first and the last."""
    last, wanted = len(previews) - 1, min(_MOST_PREVIEWS, len(previews))
    return [previews[round(i * last / max(1, wanted - 1))] for i in range(wanted)]


def _data_uri(path: Path) -> Markup:
    return data_uri(path.read_bytes(), path.suffix.removeprefix("."))


# Curves


def _main_charts(
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
            alarms_images=rollbacks,
        )
        words = "Bold: the trend. Faint: as it was. Dotted: given up when training went back."
        charts.append(Chart("Losses", words, Markup(drawing), _legend(losses), wide=True))
    for name, (title, axis, explanation) in _SCORES.items():
        if name in curves:
            drawing = draw([curves.pop(name)], axis, served_images=served_images)
            charts.append(Chart(title, f"{explanation} Ring: the weights served.", Markup(drawing)))
    return charts


def _other_charts(curves: dict[str, Curve]) -> list[Chart]:
    """Rates and gradient norms of the players, then each note of the family's."""
    charts = []
    players = _players(curves)
    for ending, (title, axis, explanation) in _BY_PLAYER.items():
        found = {p: curves.pop(f"{p}/{ending}") for p in players if f"{p}/{ending}" in curves}
        if found:
            drawing = draw(list(found.values()), axis, smooth=ending == "gradient_norm")
            charts.append(Chart(title, explanation, Markup(drawing), _legend(found)))
    for name, curve in curves.items():
        title = name.replace("_", " ").replace("/", ": ")
        charts.append(Chart(title, "", Markup(draw([curve], "", smooth=True))))
    return charts


def _players(curves: Mapping[str, Curve]) -> list[str]:
    """Whose rates and gradient norms are in the history, in its order."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in curves if "/" in name))


def _scores_at(
    lines: Sequence[Mapping[str, Any]], step: int | None
) -> list[tuple[str, float, str]]:
    """Title, value and meaning of the scores of the weights served."""
    facts: dict[str, Any] = {}
    for line in lines:
        if line.get("step") == step:
            facts |= line
    return [(t, facts[name], words) for name, (t, _, words) in _SCORES.items() if name in facts][:2]


def _images_at(lines: Sequence[Mapping[str, Any]], step: int | None) -> float | None:
    return next((line["images"] for line in reversed(lines) if line.get("step") == step), None)


def _legend(curves: Mapping[str, Curve]) -> tuple[tuple[str, int], ...]:
    return tuple((name, i % SERIES) for i, name in enumerate(curves))


# Words and numbers


def _timings(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How far training came, how long it took, and how fast it was where it went ahead."""
    clocks = [
        (line["step"], line["images"], line["seconds"]) for line in lines if "seconds" in line
    ]
    if not clocks:
        return {}
    totals = {"steps": clocks[-1][0], "images": clocks[-1][1], "seconds": max(c[2] for c in clocks)}
    steps = images = seconds = 0.0
    for before, after in pairwise(clocks):
        if after[0] > before[0]:
            steps += after[0] - before[0]
            images += after[1] - before[1]
            seconds += after[2] - before[2]
    if seconds > 0:
        totals |= {"images_a_second": images / seconds, "steps_a_second": steps / seconds}
    return totals


def _spec_in_words(spec: Mapping[str, Any] | None) -> str | None:
    if spec is None:
        return None
    return str(ImageSpec(spec["channels"], spec["height"], spec["width"], tuple(spec["classes"])))


def _number(value: float | None) -> str:
    """Four digits that count, large numbers with separators."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    """42 s, 3 min 20 s, 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _part(measurement: Mapping[str, Any], key: str) -> float | None:
    """How far along from floor to ceiling a value is, in percent, within 0 and 100."""
    floor, ceiling, value = (measurement.get(name) for name in ("floor", "ceiling", key))
    if value is None or floor is None or ceiling is None or floor == ceiling:
        return None
    share: float = (value - floor) / (ceiling - floor)
    return round(100 * min(1.0, max(0.0, share)), 2)


def _read_json(path: Path) -> Any:
    """The contents, None where there is no such file. Raises RunError for anything but JSON."""
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}): delete it to do without it") from error
