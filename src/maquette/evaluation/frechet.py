"""Fréchet distance between two sets of features, seen as two Gaussians."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def frechet_distance(
    real: Float[Tensor, "n features"], generated: Float[Tensor, "m features"]
) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), squared as FID is; 0 for equal moments.

    Dowson and Landau 1982 (eq. 4, the distance of two normal distributions); as a score of
    generators: Heusel et al. 2017 (eq. 6). tr (C1 C2)^(1/2) is the trace of the symmetric
    (S C2 S)^(1/2) with S = C1^(1/2), so eigenvalues of symmetric matrices suffice. In float64, with
    n - 1 covariances. Biased upwards for few pictures: compare only at equal numbers. Needs two
    pictures in each set.
    """
    assert min(len(real), len(generated)) > 1
    real, generated = real.double(), generated.double()
    shift = real.mean(0) - generated.mean(0)
    real_cov, generated_cov = real.T.cov(), generated.T.cov()
    values, vectors = torch.linalg.eigh(real_cov)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    common = torch.linalg.eigvalsh(_symmetric(root @ generated_cov @ root)).clamp(min=0).sqrt()
    return float(shift @ shift + real_cov.trace() + generated_cov.trace() - 2 * common.sum())


def _symmetric(matrix: Float64[Tensor, "d d"]) -> Float64[Tensor, "d d"]:
    """Free of the rounding that made it lopsided."""
    return (matrix + matrix.T) / 2
