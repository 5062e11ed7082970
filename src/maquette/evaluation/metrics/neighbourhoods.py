"""Whether pictures lie among real ones (precision, density) and cover them (recall, coverage)."""

from collections.abc import Callable, Iterator

from maquette.core.family import Generates
from maquette.evaluation.bootstrap import Estimate
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.features import Features
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.precision_recall import density_coverage, precision_recall

FEWEST = 8  # pictures on either side


class PrecisionRecall(Metric[Evidence]):
    """Improved precision and recall: balls around both sets."""

    name = "precision-recall"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        titles = ("precision", "recall")
        yield from _both(titles, lambda a, b: tuple(precision_recall(a, b)), evidence)


class DensityCoverage(Metric[Evidence]):
    """Balls around the real pictures alone: less fooled by outliers among them."""

    name = "density-coverage"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        titles = ("density", "coverage")
        yield from _both(titles, lambda a, b: tuple(density_coverage(a, b)), evidence)


def _both(
    titles: tuple[str, str],
    measured: Callable[[Features, Features], tuple[Estimate, ...]],
    evidence: Evidence,
) -> Iterator[Measurement]:
    one, other = (half.features for half in evidence.halves())
    if len(other) < FEWEST:
        return
    values = measured(other, evidence.generated.features[: len(other)])
    floors = measured(other, evidence.noise.features[: len(other)])
    ceilings = measured(other, one)
    for title, value, floor, ceiling in zip(titles, values, floors, ceilings, strict=True):
        yield Measurement(
            name=f"{title} ({evidence.network})",
            value=value.value,
            low=value.low,
            high=value.high,
            count=len(other),
            floor=floor.value,
            ceiling=ceiling.value,
            note="95 % interval; depends on the number of pictures, which is the same throughout",
            features=evidence.features,
            lower_is_better=False,
        )
