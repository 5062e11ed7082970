"""Tables of runs and recipes."""

from pathlib import Path

from rich.table import Table

from maquette.cli.console import console, printable
from maquette.core.errors import RunError
from maquette.recipes import shipped_recipes

STATE_STYLE = {"finished": "green", "training": "cyan", "failed": "red", "damaged": "red"}


def show_runs(folder: str) -> None:
    from maquette.workflows.listing import list_runs  # imports torch; recipes do not need it

    if not Path(folder).is_dir():
        raise RunError(f"there is no folder {folder}: `maquette demo` makes a first run")
    lines = list_runs(folder)
    if not lines:
        console.print(f"no runs in {printable(folder)} yet: `maquette demo` makes a first one")
        return
    table = Table("run", "state", "recipe", "dataset", box=None)
    for column in ("steps", "hours", "score (lower is better)"):
        table.add_column(column, justify="right")
    for line in lines:
        style = STATE_STYLE.get(line.state, "yellow")
        table.add_row(
            printable(line.folder),
            f"[{style}]{line.state}[/]",
            printable(line.recipe),
            printable(line.dataset),
            f"{line.step:,}",
            f"{line.hours:.2f}",
            "" if line.score is None else f"{line.score:.4g}",
        )
    console.print(table)
    for line in lines:
        if line.problem:
            console.print(f"[red]damaged:[/] {printable(line.problem)}")


def show_recipes() -> None:
    table = Table("recipe", "what it is for", box=None)
    for name, file in shipped_recipes().items():
        table.add_row(f"[bold]{name}[/]", printable(_headline(file.read_text(encoding="utf-8"))))
    console.print(table)


def _headline(text: str) -> str:
    """The first sentence of the comment a recipe opens with."""
    comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return " ".join(comment).partition(". ")[0]
