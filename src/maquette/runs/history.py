"""history.jsonl: one line every so many steps, one per event, one per score. Append-only.

A checkpoint remembers how long the file was; a killed run that goes on cuts it back to there, so
the history of a continued run reads like that of one that was never interrupted.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maquette.core.errors import RunError
from maquette.training.callback import Callback, Moment


class History(Callback):
    """Writes losses, notes, gradient norms and rates."""

    def __init__(self, path: Path, every_steps: int, batch_size: int):
        self.path, self.every_steps, self.batch_size = path, every_steps, batch_size
        self._seconds = 0.0

    def after_step(self, moment: Moment) -> None:
        self._seconds = moment.seconds
        progress = moment.progress
        if progress.step % self.every_steps == 0 or moment.is_last:
            self.append(progress.step, progress.images, dict(moment.values))
        if moment.scores:
            self.append(progress.step, progress.images, dict(moment.scores))

    def event(self, step: int, kind: str, message: str) -> None:
        self.append(step, step * self.batch_size, {"event": kind, "message": message})

    def append(self, step: int, images: int, facts: Mapping[str, Any]) -> None:
        line = {"step": step, "images": images, "seconds": round(self._seconds, 3), **facts}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunError(f"{self.path} cannot be written ({reason})") from error

    def mark(self) -> dict[str, Any]:
        size = self.path.stat().st_size if self.path.exists() else 0
        return {"bytes": size, "seconds": self._seconds}

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self._seconds = mark["seconds"]
        if self.path.exists() and self.path.stat().st_size > mark["bytes"]:
            os.truncate(self.path, mark["bytes"])


def read_history(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a history; one that was cut off in the middle is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                facts = json.loads(line)
            except ValueError:
                continue
            if isinstance(facts, dict):
                yield facts
