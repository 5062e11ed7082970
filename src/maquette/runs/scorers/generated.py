"""How near generated pictures are to held-out ones, and how varied: the same seeds every time."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from maquette.core.family import Family, Generates
from maquette.core.randomness import picture_seeds
from maquette.data.dataset import ImageDataset
from maquette.evaluation.diversity import diversity
from maquette.evaluation.sliced_wasserstein import sliced_wasserstein
from maquette.runs.asking import generated
from maquette.runs.scorers.scorer import Scored, Scorer, picture_rows

COLLAPSED_SHARE = 0.5  # of the running median: measured, 0 false alarms and 3 of 3 collapses
COLLAPSED = 0.2  # of the data's diversity, once this much of training is over:
COLLAPSED_AFTER = 0.3


class GeneratedScorer(Scorer):
    """Sliced Wasserstein distance; warns of mode collapse."""

    def __init__(self, holdout: ImageDataset, count: int, seed: int, batch: int):
        self.batch_size = batch
        rows = picture_rows(len(holdout), count, seed)
        self.real = holdout.pictures(rows).cpu()
        self.labels = None if holdout.labels is None else holdout.labels[rows]
        self.count = len(rows)
        self.seeds = picture_seeds(len(rows), seed, "scoring").to(holdout.device)
        self.accepted: list[float] = []
        self._suspicions = 0

    def judge(self, family: Family, fraction: float) -> Scored:
        assert isinstance(family, Generates)
        made = generated(family, self.labels, self.seeds, self.batch_size)
        distance, varied = sliced_wasserstein(self.real, made), diversity(self.real, made)
        self._suspect(varied.value, fraction)
        scores = {
            "sliced_wasserstein": distance.value,
            "sliced_wasserstein_low": distance.low,
            "sliced_wasserstein_high": distance.high,
            "diversity": varied.value,
            "diversity_low": varied.low,
            "diversity_high": varied.high,
            "score": distance.value,
            "score_low": distance.low,
            "score_high": distance.high,
        }
        if self._suspicions < 2:
            return Scored(scores)
        warning = (
            f"mode collapse: pictures from different seeds differ only {varied.value:.0%} as much "
            "as real ones; try stronger augmentation, a lower training.optimizer.learning_rate, "
            "or more pictures"
        )
        return Scored(scores, (warning,))

    def _suspect(self, varied: float, fraction: float) -> None:
        recent = self.accepted[-4:]
        dropped = len(recent) == 4 and varied < COLLAPSED_SHARE * median(recent)
        flat = fraction > COLLAPSED_AFTER and varied < COLLAPSED
        self._suspicions = self._suspicions + 1 if dropped or flat else 0
        if not (dropped or flat):
            self.accepted = [*recent[-3:], varied]

    def mark(self) -> dict[str, Any]:
        return {"accepted": self.accepted, "suspicions": self._suspicions}

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self.accepted = list(mark.get("accepted", []))
        self._suspicions = int(mark.get("suspicions", 0))
