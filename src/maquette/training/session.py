"""One sitting of a run: train until the end, an interruption or a failure, losing nothing.

Watches the values the loop gives, calls the callbacks, saves, and goes back to a certified
checkpoint when the guard raises an alarm. A session on a folder with checkpoints continues it.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, Literal

import torch

from maquette.core.errors import RunError
from maquette.core.images import Scalar
from maquette.training.callback import Callback, Moment
from maquette.training.checkpoints import (
    CheckpointStore,
    Entry,
    Snapshot,
    newest_certified,
    read_tensors,
    steps_to_keep,
)
from maquette.training.guard import Alarm, Guard
from maquette.training.patience import Patience
from maquette.training.trainer import Trainer

LOOK_EVERY_STEPS = 10
MEMORY_STEPS = 100  # values kept for the family's own concerns
WARN_AGAIN_STEPS = 1000


class Session:
    """Trains a run from where its checkpoints left it."""

    def __init__(
        self,
        trainer: Trainer,
        store: CheckpointStore,
        save_every_steps: int,
        save_every_seconds: float,
        callbacks: Sequence[Callback] = (),
        patience_images: int | None = None,
    ):
        self.trainer, self.store, self.callbacks = trainer, store, callbacks
        self.save_every_steps, self.save_every_seconds = save_every_steps, save_every_seconds
        self.guard = Guard(trainer.settings.guard)
        self.patience = Patience(patience_images, trainer.settings)
        self.recent: dict[str, deque[float]] = {}
        self.stop_requested = False
        self._must_stop = False  # agreed by all processes
        # Looking averages over processes: all must look whenever a callback of the main one is due.
        due = [LOOK_EVERY_STEPS, save_every_steps, *(c.every_steps for c in callbacks)]
        self._look_every_steps = frozenset(trainer.engine.from_main(due))
        self._unread: list[tuple[int, Mapping[str, Scalar]]] = []
        self._warned_at: dict[str, int] = {}
        self._saved_at_seconds = time.monotonic()
        self._saved_step = -1
        self._proven = 0  # certified before going back to it, and so for good

    def is_over(self) -> bool:
        """Whether the checkpoints say that there is nothing left to learn."""
        entries = self.store.entries()
        if not entries:
            return False
        newest, hours = entries[-1], self.trainer.settings.hours
        if self.patience.ended_at(newest.facts):
            return True
        if hours is not None:
            return bool(newest.facts["fraction"] >= 1 and newest.facts["hours"] == hours)
        return self.trainer.clock.progress(newest.step).fraction >= 1

    def run(self) -> Literal["finished", "interrupted"]:
        """Train on. Raises RunError when it cannot be saved, or keeps going wrong."""
        self._begin()
        while not self._is_finished and not self._must_stop:
            self.advance()
        self._finish()
        return "finished" if self._is_finished else "interrupted"

    def advance(self) -> None:
        """One step, and whatever is due after it."""
        self._unread.append((self.trainer.step + 1, self.trainer.learn()))
        if not self._is_time_to_look():
            return
        if (alarm := self._look()) is not None:
            self._go_back(alarm)
            return
        self._save_when_due(self._call_back())
        self._must_stop = self.trainer.engine.largest(float(self.stop_requested)) > 0
        # Scores are the main process's: the others hear from it that they were the last.
        self.patience.ended = self.trainer.engine.largest(float(self.patience.ended)) > 0

    def stop(self) -> None:
        """Ask for an end: the step at hand is finished and everything saved."""
        self.stop_requested = True

    @property
    def certified_until(self) -> int:
        """Checkpoints up to this step were followed by enough quiet steps to be trusted."""
        return max(self._proven, self.trainer.step - self.guard.settings.quiet_steps)

    # Beginning and end

    @property
    def _is_finished(self) -> bool:
        return self.trainer.progress.fraction >= 1 or self.patience.ended

    def _begin(self) -> None:
        entry, passed_over = self.store.newest_sound()
        self.trainer.engine.wait_for_all()  # before the first of us writes one
        if entry is None:
            self.trainer.clock.start(0.0)
            self._save({})  # somewhere to go back to, and proof that the folder can be written
            self.store.wait()
        else:
            self.trainer.clock.start(float(entry.facts["seconds"]))
            self._return_to(entry)
            for callback in self.callbacks:
                if (mark := entry.facts["marks"].get(type(callback).__name__)) is not None:
                    callback.rewind(mark)
            self._say_resumed(entry)
        for sentence in passed_over:
            self._tell(self.trainer.step, "warning", sentence)
        self.trainer.engine.wait_for_all()

    def _say_resumed(self, entry: Entry) -> None:
        if self._is_finished or entry.step == 0:
            return
        self._tell(entry.step, "resumed", f"going on from step {entry.step:,}")
        if changed := entry.changes_since(self.trainer.engine.fingerprint()):
            self._tell(
                entry.step,
                "warning",
                f"the machine changed ({', '.join(changed)}): the run goes on correctly, but not "
                "bit for bit as it would have",
            )

    def _finish(self) -> None:
        if self._saved_step != self.trainer.step:
            self._save({})
        self.store.wait()

    # Looking

    def _is_time_to_look(self) -> bool:
        step = self.trainer.step
        return (
            any(step % every == 0 for every in self._look_every_steps)
            or (self.stop_requested and self.trainer.engine.processes == 1)
            or self.trainer.progress.fraction >= 1
        )

    def _look(self) -> Alarm | None:
        """Read the values of the steps since the last look, and judge them one by one."""
        unread, self._unread = self._unread, []
        read = torch.stack([value for _, values in unread for value in values.values()])
        self.trainer.engine.average_over_processes([read])
        numbers = iter(read.tolist())
        for step, tensors in unread:
            values = {name: next(numbers) for name in tensors}
            watched = {n: v for n, v in values.items() if n.split("/")[0] in self.trainer.players}
            if (alarm := self.guard.observe(step, watched)) is not None:
                return alarm
            for name, value in values.items():
                self.recent.setdefault(name, deque(maxlen=MEMORY_STEPS)).append(value)
        return None

    def _call_back(self) -> dict[str, float]:
        """Call every callback that is due; returns the scores they gave."""
        step, is_last = self.trainer.step, self.trainer.progress.fraction >= 1
        if step % MEMORY_STEPS == 0:
            self._warn(self.trainer.family.concerns(self.recent))
        rates = {f"{n}/learning_rate": rate for n, rate in self.trainer.rates().items()}
        values = {n: fmean(list(v)[-LOOK_EVERY_STEPS:]) for n, v in self.recent.items()}
        moment = Moment(
            self.trainer.progress,
            self.trainer.clock.seconds,
            values | rates,
            self.trainer.average,
            is_last,
        )
        started = time.monotonic()
        for callback in self.callbacks:
            if step % callback.every_steps == 0 or is_last:
                callback.after_step(moment)
        self._warn(moment.warnings)
        for kind, message in moment.news + self.patience.judge(moment.progress, moment.scores):
            self._tell(step, kind, message)
        self.trainer.clock.keep_back(time.monotonic() - started)
        return moment.scores

    def _warn(self, sentences: Iterable[str]) -> None:
        """Tell each "topic: sentence", but not the same topic again and again."""
        for sentence in sentences:
            topic = sentence.split(":")[0]
            last = self._warned_at.get(topic)
            if last is None or self.trainer.step - last >= WARN_AGAIN_STEPS:
                self._warned_at[topic] = self.trainer.step
                self._tell(self.trainer.step, "warning", sentence)

    def _tell(self, step: int, kind: str, message: str) -> None:
        for callback in self.callbacks:
            callback.event(step, kind, message)

    # Saving and going back

    def _save_when_due(self, scores: Mapping[str, float]) -> None:
        waited = time.monotonic() - self._saved_at_seconds
        alone = self.trainer.engine.processes == 1
        if self.trainer.step % self.save_every_steps == 0 or self.trainer.progress.fraction >= 1:
            self._save(scores)
        elif self.stop_requested or (alone and waited >= self.save_every_seconds):
            self._save({})

    def _save(self, scores: Mapping[str, float]) -> None:
        snapshot = Snapshot(self.trainer.step, self.trainer.tensors(), self._facts(scores))
        if not snapshot.is_finite():
            self._go_back(Alarm(self.trainer.step, "a weight is not a finite number"))
            return
        if self.trainer.engine.is_main:
            self.store.wait()  # so that the one before is among the entries
            new = Entry(snapshot.step, self.store.folder, snapshot.facts)
            earlier = [e for e in self.store.entries() if e.step < snapshot.step]
            self.store.save(snapshot, steps_to_keep([*earlier, new], self.certified_until))
        self._saved_at_seconds, self._saved_step = time.monotonic(), self.trainer.step

    def _facts(self, scores: Mapping[str, float]) -> dict[str, Any]:
        return {
            "images": self.trainer.progress.images,
            "fraction": self.trainer.progress.fraction,
            "hours": self.trainer.settings.hours,
            "seconds": self.trainer.clock.seconds,
            "attempt": self.trainer.attempt,
            "proven": self._proven,
            "score": scores.get("score"),
            "guard": self.guard.state(),
            "patience": self.patience.state(),
            "recent": {name: list(values) for name, values in self.recent.items()},
            "warned_at": dict(self._warned_at),
            "marks": {type(c).__name__: mark for c in self.callbacks if (mark := c.mark())},
            "fingerprint": self.trainer.engine.fingerprint(),
        }

    def _return_to(self, entry: Entry) -> None:
        files = ("family", "average", "optimizers")
        self.trainer.restore(entry.step, {file: read_tensors(entry, file) for file in files})
        self.trainer.attempt = entry.facts["attempt"]
        self._proven = entry.facts.get("proven", 0)
        self.guard.restore(entry.facts["guard"])
        self.patience.restore(entry.facts)
        self.recent = {n: deque(v, MEMORY_STEPS) for n, v in entry.facts["recent"].items()}
        self._warned_at = dict(entry.facts["warned_at"])
        self._unread, self._saved_step = [], entry.step

    def _go_back(self, alarm: Alarm) -> None:
        """Return to the newest checkpoint certified before the alarm, with half the rate."""
        self.store.wait()
        self.trainer.engine.wait_for_all()
        attempt, limit = self.trainer.attempt + 1, self.guard.settings.attempts
        if attempt > limit:
            message = f"{alarm.cause} at step {alarm.step:,}, after going back {limit} times"
            self._tell(alarm.step, "failed", message)
            raise RunError(
                f"training keeps going wrong ({message}); the best certified weights are kept: "
                "use them, or start a new run with a lower training.optimizer.learning_rate"
            )
        until = max(alarm.step - self.guard.settings.quiet_steps, self._proven)
        entry, is_certified = newest_certified(self.store.entries(), until)
        self._return_to(entry)
        self.trainer.attempt = attempt
        if is_certified:
            self._proven = entry.step
        self.trainer.engine.wait_for_all()
        if self.trainer.engine.is_main:
            self.store.forget_after(entry.step)
        self._tell(
            alarm.step,
            "rollback",
            f"{alarm.cause} at step {alarm.step:,}: went back to step {entry.step:,}, with other "
            f"data order and {0.5**attempt:g} of the learning rate ({attempt} of {limit})",
        )
