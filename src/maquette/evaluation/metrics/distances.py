"""How far the pictures made are from real ones, in the space of a feature network."""

from collections.abc import Callable, Iterator

from maquette.core.family import Generates
from maquette.evaluation.bootstrap import Estimate
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.features import Features
from maquette.evaluation.frechet import frechet
from maquette.evaluation.kid import kid
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.mifid import mifid

FEW_PICTURES = 2048  # below, a Fréchet distance says more about their number than about the model
_FEW = "few pictures: biased upwards, believe the kernel distance first; "
_BOTH = "95 % interval over the pictures of both sides; the same number of real pictures"


class FrechetDistance(Metric[Evidence]):
    """Called FID only where the network is FID's Inception-v3."""

    name = "frechet"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        few = _FEW if len(evidence.halves()[0]) < FEW_PICTURES else ""
        yield _against_half("Fréchet distance", frechet, evidence, few + _BOTH)


class KernelDistance(Metric[Evidence]):
    """Unbiased, so right for few pictures as well."""

    name = "kid"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        yield _against_half("kernel distance, KID", kid, evidence, _BOTH)


class MemorisationInformed(Metric[Evidence]):
    """The Fréchet distance, multiplied up for pictures that lie near training pictures."""

    name = "mifid"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        training = evidence.train.features
        one, other = (half.features for half in evidence.halves())
        made = mifid(other, evidence.generated.features[: len(other)], training)
        # Halves of the real hold training pictures, so closeness is asked of held-out ones.
        near = mifid(other, evidence.holdout.features, training)
        ceiling = frechet(other, one).value / (near.distance if near.memorised else 1.0)
        noise = mifid(other, evidence.noise.features[: len(other)], training).estimate.value
        words = "below" if made.memorised else "above"
        yield Measurement(
            name=f"memorisation-informed Fréchet distance, MiFID ({evidence.network})",
            value=made.estimate.value,
            low=made.estimate.low,
            high=made.estimate.high,
            count=len(other),
            floor=noise,
            ceiling=ceiling,
            note=f"mean cosine distance to the nearest training picture {made.distance:.3f}, "
            f"{words} the 0.1 from which copies are punished; that limit was chosen for "
            "Inception-v3, so with another network its jump may mean nothing",
            features=evidence.features,
            lower_is_better=True,
        )


def _against_half(
    title: str, distance: Callable[[Features, Features], Estimate], evidence: Evidence, note: str
) -> Measurement:
    """A distance from one half of the real pictures, at equal numbers throughout."""
    one, other = (half.features for half in evidence.halves())
    value = distance(other, evidence.generated.features[: len(other)])
    return Measurement(
        name=f"{title} ({evidence.network})",
        value=value.value,
        low=value.low,
        high=value.high,
        count=len(other),
        floor=distance(other, evidence.noise.features[: len(other)]).value,
        ceiling=distance(other, one).value,
        note=note,
        features=evidence.features,
        lower_is_better=True,
    )
