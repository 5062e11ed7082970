"""Every metric there is, in the order in which they are shown."""

from collections.abc import Sequence

from maquette.core.errors import MaquetteError, unknown_name
from maquette.core.family import Family
from maquette.evaluation.metric import Metric
from maquette.evaluation.metrics.answers import Accuracy, Confidence, WhileDrawing
from maquette.evaluation.metrics.classes import ClassFrechet, ClassSpread, LabelAgreement
from maquette.evaluation.metrics.distances import (
    FrechetDistance,
    KernelDistance,
    MemorisationInformed,
)
from maquette.evaluation.metrics.likelihood import ParzenLikelihood
from maquette.evaluation.metrics.memory import CopyRate
from maquette.evaluation.metrics.neighbourhoods import DensityCoverage, PrecisionRecall
from maquette.evaluation.metrics.translations import CONTENT, CYCLE, EDGES, IDENTITY, EachDirection

METRICS: tuple[Metric, ...] = (
    KernelDistance(),
    FrechetDistance(),
    MemorisationInformed(),
    CopyRate(),
    PrecisionRecall(),
    DensityCoverage(),
    LabelAgreement(),
    ClassSpread(),
    ClassFrechet(),
    ParzenLikelihood(),
    EachDirection(KernelDistance()),
    EachDirection(FrechetDistance()),
    EachDirection(MemorisationInformed()),
    CONTENT,
    EDGES,
    CYCLE,
    IDENTITY,
    EachDirection(CopyRate()),
    EachDirection(PrecisionRecall()),
    EachDirection(DensityCoverage()),
    Accuracy(),
    Confidence(),
    WhileDrawing(),
)


def metrics_for(family: Family, names: Sequence[str] = ()) -> list[Metric]:
    """Those of these names (all when none are given) that this family has the capability for.

    MaquetteError for a name that is not known.
    """
    known = list(dict.fromkeys(metric.name for metric in METRICS))
    for name in names:
        if name not in known:
            raise MaquetteError(unknown_name("metric", name, known))
    wanted = (metric for name in names or known for metric in METRICS if metric.name == name)
    return [metric for metric in wanted if isinstance(family, metric.needs)]
