"""What a person sees of drawing a report."""

from rich.markup import escape

from maquette.cli.console import console
from maquette.workflows.reporting import report


def show(run: str) -> None:
    console.print(f"report: [bold]{escape(str(report(run)))}[/]")
