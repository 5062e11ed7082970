"""Judge a finished run: every metric it can be measured by, with floor, ceiling and uncertainty.

What is looked at depends on the capability: see `judges/`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from maquette.core.devices import start_engine
from maquette.core.errors import RunError, unknown_name
from maquette.core.files import write_text
from maquette.core.pictures import save_png
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.metrics.known import metrics_for
from maquette.runs.evaluations import BEST, EVALUATION, LAST, SELECTED, Column, MeasuredOn
from maquette.runs.folder import PANELS, Run, open_run
from maquette.training.checkpoints import Entry, fault_in
from maquette.workflows.judges.judge import Judge, Report, Wish
from maquette.workflows.judges.known import judge_of
from maquette.workflows.judges.material import material

FORMAT = 2


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured of a run; the first column is what it serves."""

    run: Run
    columns: tuple[Column, ...]
    measured_on: MeasuredOn
    panels: tuple[Path, ...]  # pictures to look at, of the first column


def _silent(_stage: str, _done: int, _total: int | None) -> None:
    """Report to nobody."""


def evaluate(
    run: str | Path | Run,
    *,
    data: str | Path | None = None,
    checkpoint: str = "best",
    metrics: Sequence[str] = (),
    features: str | None = None,
    count: int | None = None,
    device: str = "auto",
    report: Report = _silent,
) -> Evaluation:
    """Measure a run by pictures it did not learn from; written into `evaluation.json` and panels.

    These are the held-out pictures of its dataset, or all those of the dataset folder `data`, which
    must have the same size, colours and classes. `checkpoint` is "best" (selected on held-out
    pictures while training: what the run serves), "last", or "all", which measures every checkpoint
    kept and adds a column "best of run": the best number of each kind, which flatters. `features`
    names the network (see `open_features`) for what makes or translates pictures, `count` how many
    are made: 5,000, or 1,000 where there are fewer than 2,000 real ones; or translated of each
    domain: all. Real pictures' features are cached. Raises MaquetteError in one sentence for
    anything a person can mend.
    """
    run = run if isinstance(run, Run) else open_run(run)
    target = str(start_engine(device).device)
    chosen = _entries(run, checkpoint)
    wanted = _wanted(run, chosen[0][1], metrics)
    judge = judge_of(material(run, data), Wish(features, count, report))
    measured: dict[int, Column] = {}  # what is selected may be the last as well
    panels: dict[str, Path] = {}
    for name, entry in chosen:
        if entry.step in measured:
            continue
        evidence = judge.look(run.family_at(entry, target))
        found: list[Measurement] = []
        for number, metric in enumerate(wanted):
            report(f"measuring {metric.name}", number, len(wanted))
            found.extend(metric.measure(evidence))
        report("measuring", len(wanted), len(wanted))
        measured[entry.step] = Column(name, entry.step, tuple(found))
        if not panels:
            panels = _drawn(run, judge, evidence)
    columns = [replace(measured[entry.step], name=name) for name, entry in chosen]
    if checkpoint == "all":
        columns.append(best_of(columns))
    evaluation = Evaluation(run, tuple(columns), judge.measured_on, tuple(panels.values()))
    _write(evaluation, judge.count)
    return evaluation


def best_of(columns: Sequence[Column]) -> Column:
    """The best number of each kind over all columns, wherever it was: it flatters, and says so."""
    best: dict[str, Measurement] = {}
    for column in columns:
        for found in column.measurements:
            known = best.get(found.name)
            if known is None or _goodness(found) > _goodness(known):
                step = "" if column.step is None else f" at step {column.step:,}"
                note = f"the best of {len(columns)} checkpoints{step}: chosen by the number itself"
                best[found.name] = replace(found, note=note)
    return Column(BEST, None, tuple(best.values()))


def _goodness(found: Measurement) -> float:
    """The larger the better."""
    return -found.value if found.better_is_lower else found.value


def _wanted(run: Run, entry: Entry, names: Sequence[str]) -> list[Metric]:
    """The metrics to take, known before anything is looked at."""
    wanted = metrics_for(run.family_at(entry), names)
    if not wanted:
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which none of these metrics can measure"
        )
    return wanted


def _drawn(run: Run, judge: Judge, evidence: object) -> dict[str, Path]:
    """What there is to look at, written; what was there of an earlier evaluation goes."""
    pictures = judge.draw(evidence)
    for name in PANELS:
        (run.folder / name).unlink(missing_ok=True)
    for name, picture in pictures.items():
        save_png(picture, run.folder / name)
    return {name: run.folder / name for name in pictures}


def _entries(run: Run, checkpoint: str) -> list[tuple[str, Entry]]:
    """The checkpoints to measure, named as their columns are; the served one first."""
    known = ("best", "last", "all")
    if checkpoint not in known:
        raise RunError(unknown_name("checkpoint", checkpoint, list(known)))
    served = run.served().entry
    sound = [e for e in run.checkpoints.entries() if e.step > 0 and fault_in(e) is None]
    last = max(sound, key=lambda entry: entry.step)
    if checkpoint == "last":
        return [(LAST, last)]
    columns = [(SELECTED, served)]
    if checkpoint == "all":
        columns += [(LAST, last)]
        others = [e for e in sound if e.step not in (served.step, last.step)]
        columns += [(f"step {entry.step:,}", entry) for entry in others]
    return columns


def _write(evaluation: Evaluation, count: int) -> None:
    columns = [
        {"name": c.name, "step": c.step, "measurements": [asdict(m) for m in c.measurements]}
        for c in evaluation.columns
    ]
    content = {
        "format": FORMAT,
        "pictures": count,
        "measured_on": asdict(evaluation.measured_on),
        "columns": columns,
        "measurements": columns[0]["measurements"],
    }
    path = evaluation.run.folder / EVALUATION
    try:
        write_text(path, json.dumps(content, indent=2))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path} cannot be written ({reason})") from error
