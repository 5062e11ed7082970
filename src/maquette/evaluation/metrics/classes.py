"""Whether pictures are of the class asked for, as varied as that class, and as near to it."""

from collections.abc import Iterator
from statistics import fmean

import torch

from maquette.core.errors import DatasetError
from maquette.core.family import Generates
from maquette.evaluation.class_frechet import class_frechet
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.label_agreement import class_spread, label_agreement, train_reader
from maquette.evaluation.metric import Measurement, Metric


class LabelAgreement(Metric):
    """An independent classifier reads the class."""

    name = "label-agreement"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        real, asked = evidence.real(), evidence.generated.labels
        if real.labels is None or asked is None:
            return
        try:
            reader = train_reader(real.pixels, real.labels)
        except DatasetError:  # too few pictures of some class to learn it
            return
        yield label_agreement(reader, evidence.generated.pixels, asked)


class ClassSpread(Metric):
    """Are the pictures of a class varied?"""

    name = "class-spread"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        real, asked = evidence.real(), evidence.generated.labels
        if real.labels is None or asked is None:
            return
        spreads = class_spread(real.pixels, real.labels, evidence.generated.pixels, asked)
        if not spreads:
            return
        least = min(spreads, key=spreads.__getitem__)
        yield Measurement(
            name="spread inside a class",
            value=fmean(spreads.values()),
            count=len(asked),
            floor=0.0,
            ceiling=1.0,
            note="of the real spread, mean over classes; "
            f"from {min(spreads.values()):.0%} ({evidence.classes[least]}) "
            f"to {max(spreads.values()):.0%}",
        )


class ClassFrechet(Metric):
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
        worst = max(shared, key=lambda label: values[label] - real[label])
        yield Measurement(
            name=f"Fréchet distance inside classes ({evidence.network})",
            value=fmean(values[label] for label in shared),
            count=len(other),
            floor=fmean(floor[label] for label in shared),
            ceiling=fmean(real[label] for label in shared),
            note=f"mean over classes, farthest from its real pictures: {evidence.classes[worst]} "
            f"({values[worst]:.3g}); biased upwards for few pictures of a class",
            features=evidence.features,
        )
