"""What a person sees of a comparison."""

from rich import box
from rich.table import Table as RichTable

from maquette.cli.console import console, printable
from maquette.evaluation.metric import Measurement
from maquette.runs.comparison import Row, Table
from maquette.runs.evaluations import BEST
from maquette.runs.words import interval, number, short_name
from maquette.workflows.comparing import compare


def show(runs: list[str], out: str) -> None:
    comparison = compare(runs, out)
    for warning in comparison.warnings:
        console.print(f"[yellow]mind:[/] {printable(warning)}")
    for table in comparison.tables:
        console.print(_drawn(table, comparison.names))
    found = [row.first for table in comparison.tables for row in table.rows]
    for words in dict.fromkeys(m.features for m in found if m.features):
        console.print(f"[dim]feature network: {printable(words)}[/]")
    console.print("[dim]green: its interval overlaps no other; without green it may be chance[/]")
    console.print(f"look: [bold]{printable(comparison.page)}[/]")


def _drawn(table: Table, names: tuple[str, ...]) -> RichTable:
    warning = "\n[yellow]which flatters[/]" if table.kind == BEST else ""
    drawn = RichTable(f"[bold]{table.kind}[/]{warning}", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, step in zip(names, table.steps, strict=True):
        at = "" if step is None else f"\n[dim]step {step:,}[/]"
        drawn.add_column(printable(name) + at, justify="right")
    for end in ("floor", "ceiling"):
        drawn.add_column(end, justify="right", no_wrap=True)
    for row in table.rows:
        remark = f"\n[dim]{printable(row.remark)}[/]" if row.remark else ""
        cells = [_cell(cell, row, position) for position, cell in enumerate(row.cells)]
        ends = (number(row.first.floor), number(row.first.ceiling))
        drawn.add_row(printable(short_name(row.first)) + remark, *cells, *ends)
    return drawn


def _cell(cell: Measurement | None, row: Row, position: int) -> str:
    if cell is None:
        return "–"
    value = f"[bold green]{number(cell.value)}[/]" if row.best == position else number(cell.value)
    return value if cell.low is None else f"{value}\n[dim]{interval(cell)}[/]"
