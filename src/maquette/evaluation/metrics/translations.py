"""What a translator is measured by: how real its pictures are, and what they keep.

What is asked of generated pictures is asked of translated ones in the same words, against the
domain they were translated to; pictures left as they were are the floor.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from maquette.core.family import Translates
from maquette.evaluation.evidence import Evidence, Translation
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.translation import (
    Kept,
    content_kept,
    cycle_error,
    edges_kept,
    identity_error,
)

Translations = tuple[Translation, ...]  # one for each direction that was learnt


class EachDirection(Metric[Translations]):
    """A metric of generated pictures, for the translations of each direction."""

    needs = Translates

    def __init__(self, metric: Metric[Evidence]):
        self.metric, self.name = metric, metric.name

    def measure(self, evidence: Translations) -> Iterator[Measurement]:
        for translation in evidence:
            for found in self.metric.measure(translation.pictures):
                yield replace(found, name=_named(found.name, translation))


class WhatIsKept(Metric[Translations]):
    """What a translation keeps of a picture, in each direction that allows the question."""

    needs = Translates

    def __init__(
        self,
        name: str,
        title: str,
        kept: Callable[[Translation], Kept | None],
        note: str,
        is_error: bool = False,
    ):
        """`kept` gives None where it cannot be asked; an error is best at 0, the others at 1."""
        self.name, self.title, self.kept, self.note = name, title, kept, note
        self.is_error = is_error

    def measure(self, evidence: Translations) -> Iterator[Measurement]:
        for translation in evidence:
            found = self.kept(translation)
            if found is None:
                continue
            yield Measurement(
                name=_named(self.title, translation),
                value=found.value,
                low=found.low,
                high=found.high,
                count=found.count,
                floor=found.floor,
                ceiling=0.0 if self.is_error else 1.0,
                note=f"{self.note}; 95 % interval over pictures; floor: against a wrong picture",
                lower_is_better=self.is_error,
            )


def _content(translation: Translation) -> Kept:
    return content_kept(translation.pictures.noise.pixels, translation.pictures.generated.pixels)


def _edges(translation: Translation) -> Kept:
    return edges_kept(translation.pictures.noise.pixels, translation.pictures.generated.pixels)


def _cycle(translation: Translation) -> Kept | None:
    if translation.returned is None:
        return None
    return cycle_error(translation.pictures.noise.pixels, translation.returned)


def _identity(translation: Translation) -> Kept:
    return identity_error(translation.pictures.holdout.pixels, translation.unchanged)


CONTENT = WhatIsKept(
    "content", "content kept", _content, "similarity (SSIM) of the brightness; colours may change"
)
EDGES = WhatIsKept(
    "edges", "edges kept", _edges, "similarity (SSIM) of the edges; light may turn to dark"
)
CYCLE = WhatIsKept(
    "cycle",
    "cycle error",
    _cycle,
    "grey levels of 255; there and back by way of pictures of 8 bits, as they are saved",
    is_error=True,
)
IDENTITY = WhatIsKept(
    "identity",
    "identity error",
    _identity,
    "grey levels of 255; pictures that are of the target domain already",
    is_error=True,
)


def _named(name: str, translation: Translation) -> str:
    """With the direction, in front of the network in brackets."""
    title, bracket, network = name.partition(" (")
    return f"{title}, {translation.name}{bracket}{network}"
