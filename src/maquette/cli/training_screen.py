"""What a person sees of training."""

import signal

import typer

from maquette.cli.console import console, printable
from maquette.cli.watching import TrainingBar, duration
from maquette.core.family import Classifies, Translates
from maquette.families import family_class
from maquette.runs.folder import Run
from maquette.workflows.training import TrainingResult, train


def show(recipe: str, data: str | None, out: str | None, overrides: list[str]) -> None:
    with TrainingBar() as bar:
        result = train(recipe, data, out, overrides=overrides, watchers=bar)
    say_how_it_ended(result, f"maquette train {result.run.folder}")
    if result.outcome != "interrupted":
        console.print(f"next: {_next(result.run)}")


def _next(run: Run) -> str:
    """What one does with such a run."""
    family, folder = family_class(run.recipe.family), printable(run.folder)
    if issubclass(family, Translates):
        return f"maquette translate {folder} PICTURE --out translated.png"
    if issubclass(family, Classifies):
        return f"maquette evaluate {folder}, or maquette classify {folder} PICTURE"
    return f"maquette generate {folder} -n 64 --out grid.png"


def say_how_it_ended(result: TrainingResult, command: str) -> None:
    """One or two lines; exits with 130 or 143 after an interruption."""
    if not result.is_main:
        raise typer.Exit
    run, info = result.run, result.run.info
    folder = printable(run.folder)
    if result.outcome == "already finished":
        console.print(
            f"{folder} is finished ({info['step']:,} steps): nothing left to do; "
            "train longer with --steps"
        )
        return
    if result.outcome == "interrupted":
        console.print(
            f"stopped at step {info['step']:,}, everything saved; go on with: {printable(command)}"
        )
        code = 128 + (result.signal or signal.SIGINT)
        raise typer.Exit(code)
    console.print(f"{folder}: {info['step']:,} steps in {duration(info['seconds'])}")
    if served := info.get("served"):
        console.print(f"serving step {served['step']:,}: {printable(served['why'])}")
    console.print(f"report: {folder}/report.html")
