"""The progress bar of training: how far, how fast, how long still, and the losses."""

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from maquette.cli.console import errors, printable
from maquette.core.family import Translates
from maquette.runs.folder import Run
from maquette.training.callback import Callback, Moment
from maquette.training.trainer import Trainer

EVENT_STYLE = {"rollback": "yellow", "warning": "yellow", "failed": "red", "resumed": "cyan"}


class TrainingBar(Callback):
    """A live line in a terminal; a plain line now and then where the output is a file."""

    every_steps = 10
    PLAIN_LINE_EVERY_SECONDS = 30.0

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[facts]}"),
            console=errors,
            expand=True,
            disable=not errors.is_terminal,
        )
        self._task = self._progress.add_task("training", total=1.0, facts="starting …")
        self._players: tuple[str, ...] = ()
        self._began: tuple[float, float, int] | None = None  # clock, fraction, step
        self._said_at = 0.0

    def __call__(self, run: Run, trainer: Trainer) -> list[Callback]:
        self._players = tuple(trainer.players)
        self._progress.update(self._task, description=run.folder.name)
        if isinstance(trainer.family, Translates):  # before hours are spent on the other way
            a, b = map(printable, run.spec.classes)
            back = " and back" if len(trainer.family.directions) > 1 else ", one way"
            errors.print(f"learning to turn {a} into {b}{back}", soft_wrap=True)
        self._progress.start()
        return [self]

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.live.is_started:
            self._progress.stop()

    def after_step(self, moment: Moment) -> None:
        progress, now = moment.progress, time.monotonic()
        if self._began is None:
            self._began = (now, progress.fraction, progress.step)
        facts = self._facts(moment, now)
        self._progress.update(self._task, completed=progress.fraction, facts=facts)
        due = now - self._said_at >= self.PLAIN_LINE_EVERY_SECONDS
        if not errors.is_terminal and (due or moment.is_last):
            self._said_at = now
            errors.print(f"{progress.fraction:4.0%}  {facts}", soft_wrap=True)

    def event(self, step: int, kind: str, message: str) -> None:  # noqa: ARG002
        style = EVENT_STYLE.get(kind, "default")
        errors.print(f"[{style}]{kind}[/]: {printable(message)}", soft_wrap=True)

    def _facts(self, moment: Moment, now: float) -> str:
        assert self._began is not None
        began, fraction, step = self._began
        seconds = max(now - began, 1e-9)
        steps, done = moment.progress.step - step, moment.progress.fraction - fraction
        speed = f"{steps / seconds:.1f} steps/s  " if steps else ""
        if done > 0:
            speed += f"{duration(seconds / done * (1 - moment.progress.fraction))} left  "
        losses = "  ".join(
            f"{name} {moment.values[name]:.3g}" for name in self._players if name in moment.values
        )
        return f"step {moment.progress.step:,}  {speed}[dim]{losses}[/]"


def duration(seconds: float) -> str:
    """75 -> "1:15", 4000 -> "1:06:40"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
