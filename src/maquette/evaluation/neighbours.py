"""Nearest training pictures of any picture, in pixel space or in feature space, mirrored or not.

Exact and in blocks: candidates come from one matrix product, whose cancellation would blur the
distance of a copy (0 turns into 1e-3), so theirs is measured again from the differences.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from maquette.core.images import Pixels
from maquette.evaluation.thumbnails import thumbnails

_QUERIES_AT_ONCE = 4096
_REFERENCES_AT_ONCE = 2048  # 32 MB of distances a view
_SPARE = 8  # candidates beyond k, for those a rounded distance would have ranked too low
_LONGEST_PX = 16


class Neighbours(NamedTuple):
    """Of every query its k nearest references, the nearest first."""

    distances: Float[Tensor, "n k"]  # Euclidean, in the units of the vectors
    indices: Int[Tensor, "n k"]  # into the references


class PixelVectors(NamedTuple):
    """Pictures as points, and their mirror images."""

    plain: Float[Tensor, "n dims"]
    mirrored: Float[Tensor, "n dims"]


def pixel_vectors(pixels: Pixels) -> PixelVectors:
    """Area averages of at most 16 px in [0, 1], flattened: layout and colour without the detail.

    Noise and compression average out, so a copy stays near its original: measured, 16 px tell JPEG
    copies (quality 50) from other real pictures by a wider margin than 32 px do.
    """
    small = thumbnails(pixels, _LONGEST_PX)
    return PixelVectors(small.flatten(1), small.flip(3).flatten(1))


def nearest(
    queries: Float[Tensor, "n dims"],
    references: Float[Tensor, "m dims"],
    k: int,
    mirrored: Float[Tensor, "m dims"] | None = None,
) -> Neighbours:
    """The k nearest references of every query by Euclidean distance; fewer when there are fewer.

    With `mirrored`, the same pictures the other way round, a reference is as near as the nearer of
    its two views and still counts once. Memory beyond the result does not grow with n and m.
    """
    views = [references] if mirrored is None else [references, mirrored]
    centre = references.mean(0)  # smaller numbers cancel less
    k = min(k, len(references))
    found = [_of_block(part, views, centre, k) for part in torch.split(queries, _QUERIES_AT_ONCE)]
    return Neighbours(
        torch.cat([part.distances for part in found]), torch.cat([part.indices for part in found])
    )


def _of_block(
    queries: Float[Tensor, "n dims"],
    views: list[Float[Tensor, "m dims"]],
    centre: Float[Tensor, " dims"],
    k: int,
) -> Neighbours:
    """Candidates by matrix product, their distances by difference, the best k of them."""
    candidates = _candidates(queries - centre, views, centre, min(k + _SPARE, len(views[0])))
    columns = [
        torch.stack([torch.linalg.vector_norm(queries - view[column], dim=1) for view in views])
        for column in candidates.T
    ]
    exact = torch.stack([column.amin(0) for column in columns], dim=1)
    distances, order = exact.sort(dim=1, stable=True)
    return Neighbours(distances[:, :k], candidates.gather(1, order)[:, :k])


def _candidates(
    centred: Float[Tensor, "n dims"],
    views: list[Float[Tensor, "m dims"]],
    centre: Float[Tensor, " dims"],
    count: int,
) -> Int[Tensor, "n count"]:
    """Indices of the nearest by |r|^2 - 2 q.r, which ranks as the squared distance does."""
    best = centred.new_full((len(centred), 0), 0)
    kept = torch.zeros(len(centred), 0, dtype=torch.long, device=centred.device)
    for start in range(0, len(views[0]), _REFERENCES_AT_ONCE):
        parts = [view[start : start + _REFERENCES_AT_ONCE] - centre for view in views]
        ranks = [part.square().sum(1) - 2 * centred @ part.T for part in parts]
        fresh = ranks[0] if len(ranks) == 1 else torch.minimum(*ranks)
        numbers = torch.arange(start, start + fresh.shape[1], device=centred.device)
        best = torch.cat([best, fresh], dim=1)
        kept = torch.cat([kept, numbers.expand(len(centred), -1)], dim=1)
        best, chosen = best.topk(min(count, best.shape[1]), largest=False)
        kept = kept.gather(1, chosen)
    return kept.sort(dim=1).values  # of equally near ones the first counts as nearest
