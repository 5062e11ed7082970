"""What a person sees of drawing a report."""

from maquette.cli.console import console, printable
from maquette.workflows.reporting import report


def show(run: str) -> None:
    console.print(f"report: [bold]{printable(report(run))}[/]")
