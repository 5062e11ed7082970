"""How the command line speaks: one console, one style for errors, one progress bar for counting."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(highlight=False, soft_wrap=True)  # commands and paths can be copied whole
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class RateColumn(ProgressColumn):
    """Things a second."""

    def __init__(self, what: str):
        super().__init__()
        self.what = what

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f} {self.what}/s", style="cyan")


@contextmanager
def counting(title: str, what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar in a terminal, from the first call of what it gives: (done, total)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(what),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=errors, disable=not errors.is_terminal)
    task = progress.add_task(title, total=None)

    def report(done: int, total: int | None) -> None:
        progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()
