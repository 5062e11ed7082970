"""Whether pictures are of the class asked for, as varied as that class, and as near to it."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from statistics import fmean

import torch

from maquette.core.errors import DatasetError
from maquette.core.family import Generates
from maquette.evaluation.bootstrap import DEVIATIONS, Estimate
from maquette.evaluation.class_frechet import class_frechet
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.label_agreement import class_spread, label_agreement, train_reader
from maquette.evaluation.metric import Measurement, Metric

_INTERVAL = "95 % interval over the pictures of both sides"


class LabelAgreement(Metric[Evidence]):
    """An independent classifier reads the class."""

    name = "label-agreement"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        real, asked = evidence.real().labelled(), evidence.generated.labels
        if real.labels is None or asked is None:
            return
        try:
            reader = train_reader(real.pixels, real.labels)
        except DatasetError:  # too few pictures of some class to learn it
            return
        yield label_agreement(reader, evidence.generated.pixels, asked)


class ClassSpread(Metric[Evidence]):
    """Are the pictures of a class varied?"""

    name = "class-spread"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        real, asked = evidence.real().labelled(), evidence.generated.labels
        if real.labels is None or asked is None:
            return
        spreads = class_spread(real.pixels, real.labels, evidence.generated.pixels, asked)
        if spreads:
            yield spread_inside_classes(spreads, evidence.classes, len(asked))


class ClassFrechet(Metric[Evidence]):
    """Which class is drawn worst."""

    name = "class-frechet"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        one, other = evidence.halves()
        made = evidence.generated.at(torch.arange(len(other)))
        if one.labels is None or other.labels is None or made.labels is None:
            return
        values = class_frechet(other.features, other.labels, made.features, made.labels)
        real = class_frechet(other.features, other.labels, one.features, one.labels)
        noise = evidence.noise.features[: len(other)]
        floor = class_frechet(other.features, other.labels, noise, made.labels)
        shared = values.keys() & real.keys() & floor.keys()
        if not shared:
            return
        worst = max(shared, key=lambda label: values[label].value - real[label].value)
        mean = _mean([values[label] for label in shared])
        yield Measurement(
            name=f"Fréchet distance inside classes ({evidence.network})",
            value=mean.value,
            low=mean.low,
            high=mean.high,
            count=len(other),
            floor=_mean([floor[label] for label in shared]).value,
            ceiling=_mean([real[label] for label in shared]).value,
            note=f"mean over classes, farthest from its real pictures: {evidence.classes[worst]} "
            f"({values[worst].value:.3g}); {_INTERVAL}; biased upwards for few pictures of a class",
            features=evidence.features,
            lower_is_better=True,
        )


def spread_inside_classes(
    spreads: Mapping[int, Estimate], classes: Sequence[str], count: int
) -> Measurement:
    """The mean of `class_spread` over classes, with the least and the most varied class."""
    mean = _mean(spreads.values())
    least, most = (end(spreads, key=lambda label: spreads[label].value) for end in (min, max))
    return Measurement(
        name="spread inside a class",
        value=mean.value,
        low=mean.low,
        high=mean.high,
        count=count,
        floor=0.0,
        ceiling=1.0,
        note=f"of the real spread, mean over classes; {_INTERVAL}; "
        f"from {spreads[least].value:.0%} ({classes[least]}) "
        f"to {spreads[most].value:.0%} ({classes[most]})",
        lower_is_better=False,
    )


def _mean(estimates: Collection[Estimate]) -> Estimate:
    """Of classes, whose pictures are drawn independently: their variances add up."""
    value = fmean(estimate.value for estimate in estimates)
    error = math.hypot(*(estimate.error for estimate in estimates)) / len(estimates)
    return Estimate(value, error, max(0.0, value - DEVIATIONS * error), value + DEVIATIONS * error)
