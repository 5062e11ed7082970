"""What runs there are, and how they stand."""

from dataclasses import dataclass
from pathlib import Path

from maquette.core.errors import MaquetteError, RunError
from maquette.runs.folder import Run, find_runs, open_run


@dataclass(frozen=True)
class RunLine:
    """One line of the table of runs."""

    folder: Path
    state: str
    recipe: str = ""
    dataset: str = ""
    step: int = 0
    hours: float = 0.0
    score: float | None = None  # of what is served; lower is better
    problem: str = ""


def list_runs(folder: str | Path = "runs") -> list[RunLine]:
    """The runs directly in a folder, newest first; a damaged one is listed with its problem."""
    return [_line(path) for path in find_runs(Path(folder))]


def _line(path: Path) -> RunLine:
    try:
        run = open_run(path)
    except MaquetteError as error:
        return RunLine(path, "damaged", problem=str(error))
    served = run.info.get("served") or {}
    return RunLine(
        path,
        _state(run),
        run.recipe.name,
        run.info["dataset"]["name"],
        int(run.info.get("step", 0)),
        float(run.info.get("seconds", 0)) / 3600,
        served.get("score"),
    )


def _state(run: Run) -> str:
    """As it stands; one that says it is training but was killed is stopped."""
    if run.state != "training":
        return run.state
    try:
        with run.locked():
            return "stopped"
    except RunError:
        return run.state
