"""How near generated pictures are to held-out ones, and how varied: the same seeds every time."""

from collections.abc import Mapping
from statistics import fmean, median
from typing import Any

import torch

from maquette.core.family import Family, Generates
from maquette.core.images import Pixels
from maquette.core.randomness import picture_seeds
from maquette.data.dataset import ImageDataset
from maquette.evaluation.diversity import diversity
from maquette.evaluation.label_agreement import class_spread
from maquette.evaluation.sliced_wasserstein import sliced_wasserstein
from maquette.runs.asking import generated
from maquette.runs.scorers.scorer import Scored, Scorer, picture_rows

COLLAPSED_SHARE = 0.5  # of the running median: measured, 0 false alarms and 3 of 3 collapses
COLLAPSED = 0.2  # of the data's diversity, once this much of training is over:
COLLAPSED_AFTER = 0.3
CLASSES_COLLAPSED = 0.35  # of the spread inside real classes; 0.24 and 0.31 had collapsed
FEWEST_OF_A_CLASS = 5  # scored pictures, for its spread to say anything


class GeneratedScorer(Scorer):
    """Sliced Wasserstein distance; warns of mode collapse."""

    def __init__(self, holdout: ImageDataset, count: int, seed: int, batch: int):
        self.batch_size = batch
        rows = picture_rows(len(holdout), count, seed)
        self.real = holdout.pictures(rows).cpu()
        self.labels = None if holdout.labels is None else holdout.labels[rows].cpu()
        self.count = len(rows)
        self.seeds = picture_seeds(len(rows), seed, "scoring").to(holdout.device)
        self.accepted: list[float] = []
        self._suspicions = 0

    def judge(self, family: Family, fraction: float) -> Scored:
        assert isinstance(family, Generates)
        made = generated(family, self.labels, self.seeds, self.batch_size)
        distance, varied = sliced_wasserstein(self.real, made), diversity(self.real, made)
        inside = self._spread_inside_classes(made)
        self._suspect(varied.value, inside, fraction)
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
        if inside is not None:
            scores["class_spread"] = inside
        if self._suspicions < 2:
            return Scored(scores)
        if inside is not None and inside < min(CLASSES_COLLAPSED, varied.value):
            alike = f"of one class differ only {inside:.0%} as much as real ones of a class"
            advice = "to tell of classes later (family gan: model.unconditional_share)"
        else:
            alike = f"from different seeds differ only {varied.value:.0%} as much as real ones"
            advice = "stronger augmentation"
        warning = (
            f"mode collapse: pictures {alike}; try {advice}, a lower "
            "training.optimizer.learning_rate, or more pictures"
        )
        return Scored(scores, (warning,))

    def _spread_inside_classes(self, made: Pixels) -> float | None:
        """How much pictures of a class differ, as a share of real ones; the mean over classes.

        None where no class has enough pictures to tell.
        """
        if self.labels is None:
            return None
        classes, counts = torch.unique(self.labels, return_counts=True)
        many = torch.isin(self.labels, classes[counts >= FEWEST_OF_A_CLASS])
        labels = self.labels[many]
        spreads = class_spread(self.real[many], labels, made[many], labels)
        return fmean(spread.value for spread in spreads.values()) if spreads else None

    def _suspect(self, varied: float, inside: float | None, fraction: float) -> None:
        recent = self.accepted[-4:]
        dropped = len(recent) == 4 and varied < COLLAPSED_SHARE * median(recent)
        classes_flat = inside is not None and inside < CLASSES_COLLAPSED
        flat = fraction > COLLAPSED_AFTER and (varied < COLLAPSED or classes_flat)
        self._suspicions = self._suspicions + 1 if dropped or flat else 0
        if not (dropped or flat):
            self.accepted = [*recent[-3:], varied]

    def mark(self) -> dict[str, Any]:
        return {"accepted": self.accepted, "suspicions": self._suspicions}

    def rewind(self, mark: Mapping[str, Any]) -> None:
        self.accepted = list(mark.get("accepted", []))
        self._suspicions = int(mark.get("suspicions", 0))
