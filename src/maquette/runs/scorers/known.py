"""Which scorer judges which capability."""

from collections.abc import Callable

from maquette.core.family import Classifies, Family, Generates, Translates
from maquette.data.dataset import ImageDataset
from maquette.runs.scorers.answered import AnsweredScorer
from maquette.runs.scorers.generated import GeneratedScorer
from maquette.runs.scorers.scorer import Scorer
from maquette.runs.scorers.translated import TranslatedScorer

Maker = Callable[[ImageDataset, int, int, int], Scorer]
SCORERS: dict[type, Maker] = {
    Generates: GeneratedScorer,
    Translates: TranslatedScorer,
    Classifies: AnsweredScorer,
}


def scorer_for(
    family: Family, holdout: ImageDataset, count: int, seed: int, batch: int
) -> Scorer | None:
    """What judges this family by at most (classifiers: at least) `count` of these pictures.

    None for one with no capability to be judged by.
    """
    for capability, make in SCORERS.items():
        if isinstance(family, capability):
            return make(holdout, count, seed, batch)
    return None
