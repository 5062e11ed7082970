"""How often a classifier is wrong about held-out pictures: all of them, up to some thousand.

An answer costs less than a generated picture, and the more are asked, the less it is luck which
checkpoint is best.
"""

import torch.nn.functional as F

from maquette.core.family import Classifies, Family
from maquette.data.dataset import ImageDataset
from maquette.evaluation.classification import classification
from maquette.runs.asking import logits_of
from maquette.runs.scorers.scorer import Scored, Scorer, picture_rows

MOST_PICTURES = 4096


class AnsweredScorer(Scorer):
    """1 - top-1 accuracy, with MAP@3 and the mean negative log-likelihood (nats) beside it."""

    def __init__(self, holdout: ImageDataset, count: int, seed: int, batch: int):
        """`count` pictures at least, where there are so many with a label."""
        assert holdout.labels is not None
        self.batch_size = batch
        labelled = (holdout.labels.cpu() >= 0).nonzero()[:, 0]
        rows = labelled[picture_rows(len(labelled), max(count, MOST_PICTURES), seed)]
        self.pixels, self.labels = holdout.pictures(rows).cpu(), holdout.labels.cpu()[rows]
        self.count = len(rows)

    def judge(self, family: Family, fraction: float) -> Scored:  # noqa: ARG002
        assert isinstance(family, Classifies)
        logits = logits_of(family, self.pixels, self.batch_size)
        found = classification(logits, self.labels)
        first, three = found.top_1, found.map_3
        return Scored(
            {
                "top_1": first.value,
                "top_1_low": first.low,
                "top_1_high": first.high,
                "map_3": three.value,
                "map_3_low": three.low,
                "map_3_high": three.high,
                "held_out_loss": F.cross_entropy(logits, self.labels).item(),
                "score": 1 - first.value,
                "score_low": 1 - first.high,
                "score_high": 1 - first.low,
            }
        )
