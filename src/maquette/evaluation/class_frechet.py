"""Fréchet distance class by class: shows which class a generator draws worst."""

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.evaluation.bootstrap import Estimate
from maquette.evaluation.frechet import frechet
from maquette.evaluation.types import GeneratedLabels, RealLabels


def class_frechet(
    real: Float[Tensor, "reals features"],
    real_labels: RealLabels,
    generated: Float[Tensor, "generated features"],
    asked: GeneratedLabels,
) -> dict[int, Estimate]:
    """For each class the distance between its real pictures and those made when it was asked for.

    Each with the 95 % interval of `frechet`; the mean over classes is the "intra FID" of Miyato and
    Koyama 2018 (section 4.1). Biased upwards by few pictures, so compare classes, and models, only
    at equal numbers. Classes with fewer than two pictures in either set are left out.
    """
    distances = {}
    for label in torch.unique(real_labels).tolist():
        reals, made = real[real_labels == label], generated[asked == label]
        if min(len(reals), len(made)) > 1:
            distances[label] = frechet(reals, made)
    return distances
