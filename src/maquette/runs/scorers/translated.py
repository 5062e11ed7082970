"""How near translated held-out pictures are to held-out ones of the domain translated to.

The score is the mean over directions. How much content is kept stands beside it and does not
count, for a translator that changes nothing keeps all of it.
"""

from math import hypot
from statistics import fmean

from maquette.core.family import Family, Translates
from maquette.data.dataset import ImageDataset
from maquette.evaluation.bootstrap import DEVIATIONS
from maquette.evaluation.sliced_wasserstein import sliced_wasserstein
from maquette.evaluation.translation import content_kept
from maquette.runs.asking import translated
from maquette.runs.scorers.scorer import Scored, Scorer, picture_rows


class TranslatedScorer(Scorer):
    """Sliced Wasserstein distance, and structural similarity to the picture before."""

    def __init__(self, holdout: ImageDataset, count: int, seed: int, batch: int):
        """`holdout` has partners."""
        assert holdout.partners is not None
        self.batch_size = batch
        domains = {"a": holdout, "b": holdout.partners}
        self.real = {
            name: domain.pictures(picture_rows(len(domain), count, seed)).cpu()
            for name, domain in domains.items()
        }
        self.count = min(len(pixels) for pixels in self.real.values())

    def judge(self, family: Family, fraction: float) -> Scored:  # noqa: ARG002
        assert isinstance(family, Translates)
        distances, kept = [], []
        for direction in family.directions:
            source, _, target = direction.partition("_to_")
            before, real = self.real[source], self.real[target]
            after = translated(family, before, direction, self.batch_size)
            distances.append(sliced_wasserstein(real, after))
            kept.append(content_kept(before, after).value)
        distance = fmean(found.value for found in distances)
        # Directions are independent, so the squares of their errors add up.
        reach = DEVIATIONS * hypot(*(found.error for found in distances)) / len(distances)
        ends = {"low": max(0.0, distance - reach), "high": distance + reach}
        return Scored(
            {
                "sliced_wasserstein": distance,
                **{f"sliced_wasserstein_{end}": value for end, value in ends.items()},
                "content_kept": fmean(kept),
                "score": distance,
                **{f"score_{end}": value for end, value in ends.items()},
            }
        )
