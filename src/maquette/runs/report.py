"""report.html: everything a run folder tells, on one page that needs nothing beside itself.

The final pictures and the verdict come first, then how it came to be. Whatever a run does not have
is left out, so a page can be written at any moment of training.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from maquette.core.errors import RunError
from maquette.core.files import write_text
from maquette.core.images import ImageSpec
from maquette.core.pages import data_uri, page_templates
from maquette.runs import words
from maquette.runs.curves import read_curves
from maquette.runs.dataset_facts import dataset_facts
from maquette.runs.evaluations import Column, measured_rows, read_evaluation
from maquette.runs.folder import PANELS
from maquette.runs.history import read_history
from maquette.runs.meanings import headlines, meaning
from maquette.runs.report_charts import SCORES, main_charts, other_charts
from maquette.runs.timings import moment_of, timings

_MOST_PREVIEWS = 6
_ALARMS = ("rollback", "warning", "failed")


def write_report(run_folder: Path) -> Path:
    """Write report.html into the run folder, whole or not at all, and say where.

    Raises RunError when the folder has no readable run.json or cannot be written.
    """
    run = _read_json(run_folder / "run.json")
    if run is None:
        raise RunError(f"{run_folder} is not a run: it has no run.json")
    page = run_pages().get_template("report.html.j2").render(_contents(run_folder, run))
    path = run_folder / "report.html"
    try:
        write_text(path, page)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path} cannot be written ({reason})") from error
    return path


def run_pages() -> Environment:
    """The templates of pages about runs, with the words they use."""
    pages = page_templates("maquette.runs")
    pages.filters.update(
        number=words.number,
        count="{:,}".format,
        duration=words.duration,
        interval=words.interval,
        direction=words.direction,
        part=words.part,
        meaning=meaning,
    )
    return pages


def final_picture(
    folder: Path, served_step: int | None, previews_only: bool = False
) -> tuple[Markup, str] | None:
    """The picture that shows best what a run makes, as data URI and caption."""
    if (folder / "samples.png").exists() and not previews_only:
        return _data_uri(folder / "samples.png"), "New pictures, made with the weights served"
    previews = _previews(folder)
    until = [p for p in previews if served_step is None or int(p.stem) <= served_step]
    if not previews:
        return None
    shown = (until or previews)[-1]
    return _data_uri(shown), f"Preview at step {int(shown.stem):,}"


def _contents(folder: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows."""
    lines = list(read_history(folder / "history.jsonl"))
    events = [line for line in lines if "event" in line]
    served_step = (run.get("served") or {}).get("step")
    curves = read_curves(lines)
    if {"sliced_wasserstein", "top_1"} & curves.keys():
        curves.pop("score", None)  # the same number, or 1 less it
    recipe, film = folder / "recipe.yaml", folder / "previews" / "progress.gif"
    dataset = run.get("dataset", {})
    return {
        "run": run,
        "name": run.get("name", folder.name),
        "spec": _spec_in_words(dataset.get("spec")),
        "dataset": dataset_facts(dataset),
        "picture": final_picture(folder, served_step),
        "charts": main_charts(curves, events, moment_of(lines, served_step, "images")),
        "other_charts": other_charts(curves),
        "previews": [(int(path.stem), _data_uri(path)) for path in _some(_previews(folder))],
        "film": _data_uri(film) if film.exists() else None,
        "events": events,
        "scores": _scores_at(lines, served_step),
        "alarms": sum(event["event"] in _ALARMS for event in events),
        "recipe": recipe.read_text(encoding="utf-8") if recipe.exists() else None,
        "timings": timings(lines),
        **_judgement(folder, served_step),
    }


def _judgement(folder: Path, served_step: int | None) -> dict[str, Any]:
    """What was measured; the page opens with a few numbers of the first column."""
    stored = read_evaluation(folder)
    columns = stored.columns
    first = columns[0] if columns else None
    named = {m.name: m for m in first.measurements} if first else {}
    # The two numbers of the demo have no columns with steps and no panels: these would be older.
    drawn = PANELS if first is not None and first.step is not None else ()
    rows = measured_rows(columns)
    return {
        "columns": columns,
        "rows": rows,
        "notes": list(dict.fromkeys(row.first.note for row in rows if row.first.note)),
        "headlines": [named[name] for name in headlines(list(named))],
        "measured_of": _measured_of(first, served_step),
        "measured_on": stored.measured_on,
        "features": sorted({m.features for c in columns for m in c.measurements if m.features}),
        "panels": {n: _data_uri(folder / n) for n in drawn if (folder / n).exists()},
    }


def _measured_of(first: Column | None, served_step: int | None) -> str | None:
    """Which weights the numbers at the top are of, when it is not those the run serves."""
    if first is None or first.step is None or first.step == served_step:
        return None
    return f"{first.name} (step {first.step:,})"


# Pictures


def _previews(folder: Path) -> list[Path]:
    found = (folder / "previews").glob("[0-9]*.png")
    return sorted(found, key=lambda path: int(path.stem))


def _some(previews: Sequence[Path]) -> list[Path]:
    """A few, evenly chosen, with the first and the last."""
    last, wanted = len(previews) - 1, min(_MOST_PREVIEWS, len(previews))
    return [previews[round(i * last / max(1, wanted - 1))] for i in range(wanted)]


def _data_uri(path: Path) -> Markup:
    return data_uri(path.read_bytes(), path.suffix.removeprefix("."))


# Words and numbers


def _scores_at(
    lines: Sequence[Mapping[str, Any]], step: int | None
) -> list[tuple[str, float, str]]:
    """Title, value and meaning of the scores of the weights served."""
    facts: dict[str, Any] = {}
    for line in lines:
        if line.get("step") == step:
            facts |= line
    return [(t, facts[name], words) for name, (t, _, words) in SCORES.items() if name in facts][:2]


def _spec_in_words(spec: Mapping[str, Any] | None) -> str | None:
    if spec is None:
        return None
    return str(ImageSpec(spec["channels"], spec["height"], spec["width"], tuple(spec["classes"])))


def _read_json(path: Path) -> Any:
    """The contents, None where there is no such file. Raises RunError for anything but JSON."""
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}): delete it to do without it") from error
