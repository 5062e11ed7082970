"""Experiment trackers (TensorBoard, Weights & Biases, trackio), through the engine's adapters."""

from pathlib import Path

from maquette.core.devices import Tracker, start_tracker
from maquette.training.callback import Callback, Moment


class Tracking(Callback):
    """Reports what history.jsonl gets to trackers as well."""

    def __init__(self, names: tuple[str, ...], folder: Path, every_steps: int):
        self.every_steps = every_steps
        self.trackers: list[Tracker] = [start_tracker(name, folder) for name in names]

    def after_step(self, moment: Moment) -> None:
        for tracker in self.trackers:
            tracker.log({**moment.values, **moment.scores}, step=moment.progress.step)
            if moment.is_last:
                tracker.finish()
