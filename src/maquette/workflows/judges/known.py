"""Which judge judges which capability."""

from collections.abc import Callable

from maquette.core.errors import RunError
from maquette.core.family import Classifies, Family, Generates, Translates
from maquette.families import family_class
from maquette.workflows.judges.classifiers import ClassifierJudge
from maquette.workflows.judges.generators import GeneratorJudge
from maquette.workflows.judges.judge import Judge, Wish
from maquette.workflows.judges.material import Material
from maquette.workflows.judges.translators import TranslatorJudge

JUDGES: dict[type, Callable[[Material, Wish], Judge]] = {
    Generates: GeneratorJudge,
    Translates: TranslatorJudge,
    Classifies: ClassifierJudge,
}


def capability_of(family: type[Family]) -> type | None:
    """What a family is judged as: the first capability it has, None where it has none."""
    return next((kind for kind in JUDGES if issubclass(family, kind)), None)


def judge_of(material: Material, wish: Wish) -> Judge:
    """The judge of a run. RunError, one sentence, where nothing can be measured."""
    kind = capability_of(family_class(material.run.recipe.family))
    if kind is None:
        raise RunError(
            f"{material.run.folder} holds a {material.run.recipe.family}, which neither makes, "
            "translates nor names pictures: there is nothing to measure"
        )
    return JUDGES[kind](material, wish)
