"""What a person sees of judging a run."""

from rich import box
from rich.table import Table

from maquette.cli.console import console, counting_stages, printable
from maquette.evaluation.metric import Measurement
from maquette.runs.evaluations import Column
from maquette.runs.words import interval, number, short_name
from maquette.workflows.judging import evaluate
from maquette.workflows.reporting import report

_PANELS = {
    "neighbours.png": "nearest training pictures",
    "translations.png": "before and after",
    "confusion.png": "what it takes for what",
    "reliability.png": "right as often as it says",
    "unfinished.png": "how soon it knows",
}


def show(
    run: str,
    data: str | None,
    checkpoint: str,
    metrics: str | None,
    features: str | None,
    count: int | None,
    device: str,
) -> None:
    names = [name.strip() for name in metrics.split(",") if name.strip()] if metrics else []
    with counting_stages("") as told:
        evaluation = evaluate(
            run,
            data=data,
            checkpoint=checkpoint,
            metrics=names,
            features=features,
            count=count,
            device=device,
            report=told,
        )
    console.print(f"measured by {printable(evaluation.measured_on)}")
    for column in evaluation.columns:
        console.print(_heading(column))
        console.print(measured_table(column.measurements))
    found = [m for column in evaluation.columns for m in column.measurements]
    for words in dict.fromkeys(m.features for m in found if m.features):
        console.print(f"[dim]feature network: {printable(words)}[/]")
    page = report(evaluation.run.folder)
    for panel in evaluation.panels:
        console.print(f"{_PANELS[panel.name]}: {printable(panel)}")
    console.print(f"look: [bold]{printable(page)}[/]")


def measured_table(measurements: tuple[Measurement, ...]) -> Table:
    """A line for each number."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("measured", overflow="fold")  # a long word is broken, never cut off
    for name in ("value", "interval", "floor", "ceiling", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for m in measurements:
        table.add_row(
            printable(short_name(m)),
            f"[bold]{number(m.value)}[/]",
            interval(m),
            number(m.floor),
            number(m.ceiling),
            "–" if m.count is None else f"{m.count:,}",
        )
    return table


def _heading(column: Column) -> str:
    if column.step is not None:
        return f"[bold]{printable(column.name)}[/] (step {column.step:,})"
    return f"[bold yellow]{printable(column.name)}[/]: each number chosen by itself, which flatters"
