"""What a person sees of a noise schedule."""

import math

from rich.table import Table

from maquette.cli.console import console, printable
from maquette.core.errors import SettingsError
from maquette.workflows.scheduling import Time, schedule

_BAR = 24  # characters for all of the signal


def show(recipe: str, settings: list[str], data: str | None, out: str) -> None:
    """Everything is shown before a schedule that teaches nothing is refused."""
    found = schedule(recipe, data, out, overrides=settings)
    table = Table("", box=None, pad_edge=False)
    for column in ("signal left", "signal to noise"):
        table.add_column(column, justify="right")
    table.add_column("")
    for time in found.times:
        table.add_row(time.at, f"{time.signal_left:.3%}", _decibels(time), _bar(time))
    console.print(table)
    console.print(f"look: [bold]{printable(found.picture)}[/]")
    if found.complaint is not None:
        raise SettingsError(found.complaint)
    console.print("[green]✓[/] a network can learn from this")


def _decibels(time: Time) -> str:
    return f"{10 * math.log10(time.signal_to_noise):+.0f} dB" if time.signal_to_noise else "none"


def _bar(time: Time) -> str:
    return "█" * round(_BAR * time.signal_left)
