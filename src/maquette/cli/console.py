"""How the command line speaks: one console, one style for errors, one progress bar for counting."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
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
PLAIN_LINE_EVERY_SECONDS = 30.0


def printable(text: object) -> str:
    """For a terminal: no markup, and nothing that a name on disk could command a terminal with."""
    plain = (c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
    return escape("".join(plain))


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
    with counting_stages(what) as report:
        yield lambda done, total: report(title, done, total)


@contextmanager
def counting_stages(what: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """As `counting`, for work of several stages: (stage, done, total).

    Where the output is a file, there is a plain line for a stage now and then.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(what),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=errors, disable=not errors.is_terminal)
    task = progress.add_task("", total=None)
    stage_now, said_at = "", time.monotonic()

    def report(stage: str, done: int, total: int | None) -> None:
        nonlocal stage_now, said_at
        progress.start()
        if stage != stage_now:
            stage_now = stage
            progress.reset(task, description=stage)
        progress.update(task, completed=done, total=total)
        if not errors.is_terminal and time.monotonic() - said_at > PLAIN_LINE_EVERY_SECONDS:
            said_at = time.monotonic()
            of = "" if total is None else f" of {total:,}"
            errors.print(f"{stage}: {done:,}{of} {what}".rstrip() + _pace(progress.tasks[0]))

    try:
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()


def _pace(task: Task) -> str:
    """ ", 2.1 a second, 0:03:10 left", as far as it is known."""
    speed = f", {task.speed:,.1f} a second" if task.speed else ""
    left = f", {timedelta(seconds=int(task.time_remaining))} left" if task.time_remaining else ""
    return speed + left
