"""The page that shows several runs side by side; it needs nothing beside itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from maquette.core.errors import RunError
from maquette.core.files import write_text
from maquette.runs.charts import SERIES, draw
from maquette.runs.comparison import Compared, Table, differing_settings
from maquette.runs.curves import Clock, Curve, read_curves
from maquette.runs.report import final_picture, run_pages
from maquette.runs.report_charts import SCORES, Chart
from maquette.runs.timings import moment_of, timings

_DRAWN = [name for name in SCORES if name != "score"]  # losses of two runs cannot be compared
_NOTHING = Curve(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))


def write_comparison(
    runs: Sequence[Compared], found: Sequence[Table], warnings: Sequence[str], path: Path
) -> None:
    """Write the page, whole or not at all. RunError where it cannot be written."""
    page = run_pages().get_template("comparison.html.j2")
    text = page.render(
        runs=runs,
        colours=[number % SERIES for number in range(len(runs))],
        tables=found,
        warnings=warnings,
        judged_by=_judged_by(runs),
        charts=_charts(runs),
        pictures=_pictures(runs),
        facts=[_facts(run) for run in runs],
        settings=differing_settings(runs),
        one_machine=len({_machine(run) for run in runs}) == 1,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path} cannot be written ({reason}): choose another --out") from error


def _judged_by(runs: Sequence[Compared]) -> str:
    """What they were measured by, where it is the same and known."""
    told = {str(run.measured_on) for run in runs if run.measured_on is not None}
    alike = len({run.judged_by for run in runs}) == 1
    return told.pop() if len(told) == 1 and alike else ""


def _charts(runs: Sequence[Compared]) -> list[Chart]:
    """Every score against images and against minutes, all runs in one drawing."""
    charts = []
    clocks: tuple[Clock, ...] = ("images", "minutes")
    for name in _DRAWN:
        for clock in clocks:
            chart = _chart(runs, name, clock)
            if chart is not None:
                charts.append(chart)
    return charts


def _chart(runs: Sequence[Compared], name: str, clock: Clock) -> Chart | None:
    title, axis, explanation = SCORES[name]
    found = [read_curves(run.lines, clock).get(name, _NOTHING) for run in runs]
    curves = [curve.where(curve.kept) for curve in found]
    if not any(curve.values.size for curve in curves):
        return None
    served_at = [_served_at(run, clock) for run in runs]
    legend = tuple((run.name, number % SERIES) for number, run in enumerate(runs))
    words = explanation if clock == "images" else "The same against time, as each machine had it."
    svg = draw(curves, axis, clock=clock, served_at=served_at)
    return Chart(title, f"{words} Rings: the weights served.", Markup(svg), legend)


def _served_at(run: Compared, clock: Clock) -> float | None:
    step = (run.run.info.get("served") or {}).get("step")
    if clock == "images":
        return moment_of(run.lines, step, "images")
    seconds = moment_of(run.lines, step, "seconds")
    return None if seconds is None else seconds / 60


def _pictures(runs: Sequence[Compared]) -> list[tuple[Markup, str] | None]:
    """The same kind of picture of every run: previews, where one has no samples."""
    lacking = any(not (run.run.folder / "samples.png").exists() for run in runs)
    steps = [(run.run.info.get("served") or {}).get("step") for run in runs]
    pairs = zip(runs, steps, strict=True)
    return [final_picture(run.run.folder, step, previews_only=lacking) for run, step in pairs]


def _facts(run: Compared) -> dict[str, Any]:
    info = run.run.info
    return {
        "dataset": run.dataset,
        "pictures": info["dataset"].get("count"),
        "state": run.run.state,
        "served": (info.get("served") or {}).get("step"),
        "machine": _machine(run),
        **timings(run.lines),
    }


def _machine(run: Compared) -> str:
    environment = run.run.info.get("environment") or {}
    known = [environment.get(key) for key in ("device", "hardware", "precision")]
    words = [str(value) for value in known if value]
    if environment.get("threads"):
        words.append(f"{environment['threads']} threads")
    return ", ".join(words) or "–"
