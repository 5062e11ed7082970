"""Scores while training: how near generated pictures are to held-out ones, and how varied.

The score chooses which checkpoint is served. It needs no downloaded network, and it is taken
against the held-out split, so memorising the training pictures does not raise it. Scoring keeps to
its share of the time: where one is too dear it is left out, so which steps have scores depends on
the clock. The weights at a step never do.
"""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from maquette.core.family import Generates
from maquette.core.images import Pixels, to_pixels
from maquette.core.randomness import derived_seed, picture_seeds
from maquette.data.dataset import ImageDataset
from maquette.evaluation.diversity import diversity
from maquette.evaluation.sliced_wasserstein import sliced_wasserstein
from maquette.training.callback import Callback, Moment

COLLAPSED_SHARE = 0.5  # of the running median: measured, 0 false alarms and 3 of 3 collapses
COLLAPSED = 0.2  # of the data's diversity, once this much of training is over:
COLLAPSED_AFTER = 0.3


class Scoring(Callback):
    """Generates the same pictures at every judged checkpoint and compares them with real ones.

    `share` is the most of all training time that scores may take; the first, whose cost nobody
    knows yet, and the last, without which the final weights could not be served, are taken anyway.
    """

    def __init__(
        self,
        holdout: ImageDataset,
        count: int,
        every_steps: int,
        seed: int,
        batch: int,
        share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.every_steps, self.batch_size = every_steps, batch
        self.share, self.clock = share, clock
        self._spent_seconds = self._cost_seconds = 0.0  # on all scores, on the last one
        self._said_skipping = False
        rows = picture_rows(len(holdout), count, seed)
        self.real = holdout.pictures(rows).cpu()
        self.labels = None if holdout.labels is None else holdout.labels[rows]
        self.seeds = picture_seeds(len(rows), seed, "scoring").to(holdout.device)
        self.accepted: list[float] = []
        self._suspicions = 0

    def after_step(self, moment: Moment) -> None:
        if not (moment.is_last or self._is_affordable(moment.seconds)):
            self._say_skipping(moment)
            return
        started = self.clock()
        self._score(moment)
        self._cost_seconds = self.clock() - started
        self._spent_seconds += self._cost_seconds

    def _is_affordable(self, seconds: float) -> bool:
        """Whether all scores stay within their share with one more, as dear as the last."""
        cost = self._cost_seconds
        return self._spent_seconds + cost <= self.share * (seconds + cost)

    def _say_skipping(self, moment: Moment) -> None:
        if not self._said_skipping:
            self._said_skipping = True
            message = (
                f"a score takes {self._cost_seconds:.2g} s: taken at fewer checkpoints, to stay "
                f"within {self.share:.2g} of the time (callbacks.score_share)"
            )
            moment.news.append(("fewer scores", message))

    @torch.no_grad()
    def _score(self, moment: Moment) -> None:
        family = moment.average
        assert isinstance(family, Generates)
        generated = generate_pixels(family, self.labels, self.seeds, self.batch_size)
        distance = sliced_wasserstein(self.real, generated)
        varied = diversity(self.real, generated)
        moment.scores.update(sliced_wasserstein=distance, diversity=varied, score=distance)
        self._judge(varied, moment.progress.fraction)
        if self._suspicions >= 2:
            moment.warnings.append(
                f"mode collapse: pictures from different seeds differ only {varied:.0%} as much as "
                "real ones; try stronger augmentation, a lower training.optimizer.learning_rate, "
                "or more pictures"
            )

    def _judge(self, varied: float, fraction: float) -> None:
        recent = self.accepted[-4:]
        dropped = len(recent) == 4 and varied < COLLAPSED_SHARE * median(recent)
        flat = fraction > COLLAPSED_AFTER and varied < COLLAPSED
        self._suspicions = self._suspicions + 1 if dropped or flat else 0
        if not (dropped or flat):
            self.accepted = [*recent[-3:], varied]

    def mark(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "suspicions": self._suspicions,
            "spent_seconds": self._spent_seconds,
            "cost_seconds": self._cost_seconds,
            "said_skipping": self._said_skipping,
        }

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self.accepted = list(mark.get("accepted", []))
        self._suspicions = int(mark.get("suspicions", 0))
        self._spent_seconds = float(mark.get("spent_seconds", 0.0))
        self._cost_seconds = float(mark.get("cost_seconds", 0.0))
        self._said_skipping = bool(mark.get("said_skipping", False))


def picture_rows(available: int, wanted: int, seed: int) -> torch.Tensor:
    """At most `wanted` row numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(derived_seed(seed, "scored rows"))
    return torch.randperm(available, generator=generator)[:wanted].sort().values


@torch.no_grad()
def generate_pixels(
    family: Generates, labels: torch.Tensor | None, seeds: torch.Tensor, batch_size: int
) -> Pixels:
    """One uint8 picture per seed, on the CPU, computed batch by batch."""
    made = []
    for start in range(0, len(seeds), batch_size):
        part = slice(start, start + batch_size)
        chosen = None if labels is None else labels[part]
        made.append(to_pixels(family.generate(chosen, seeds[part])).cpu())
    return torch.cat(made)
