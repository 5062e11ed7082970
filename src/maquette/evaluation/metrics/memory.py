"""Whether pictures are copies of training pictures."""

from collections.abc import Iterator

from maquette.core.family import Generates
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.memorisation import Memorisation, memorisation
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.neighbours import pixel_vectors

SURELY_DUPLICATED = 0.05  # of the held-out pictures look copied: the split is not clean


class CopyRate(Metric[Evidence]):
    """In pixels and in features; flips count."""

    name = "memorisation"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        if min(len(evidence.train), len(evidence.holdout)) < 2:
            return
        yield _measurement("pixels", copies_in_pixels(evidence), "")
        yield _measurement(evidence.network, copies_in_features(evidence), evidence.features)


def copies_in_pixels(evidence: Evidence) -> Memorisation:
    training = pixel_vectors(evidence.train.pixels)
    made, held_out = (
        pixel_vectors(seen.pixels).plain for seen in (evidence.generated, evidence.holdout)
    )
    return memorisation(made, training.plain, held_out, training.mirrored)


def copies_in_features(evidence: Evidence) -> Memorisation:
    return memorisation(
        evidence.generated.features,
        evidence.train.features,
        evidence.holdout.features,
        evidence.mirrored,
    )


def _measurement(space: str, found: Memorisation, features: str) -> Measurement:
    doubt = ""
    if found.held_out_rate > SURELY_DUPLICATED:
        doubt = "; held-out pictures look copied as well, so the data has duplicates"
    return Measurement(
        name=f"copies of training pictures ({space})",
        value=found.rate,
        low=found.low,
        high=found.high,
        count=len(found.is_copy),
        floor=1.0,
        ceiling=found.held_out_rate,
        note="95 % interval (Wilson); nearer to a training picture than held-out ones are, "
        f"flips included; floor: a model that only copies{doubt}",
        features=features,
        lower_is_better=True,
    )
