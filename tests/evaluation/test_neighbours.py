"""Neighbours against scikit-learn's brute search, and copies at a distance of exactly zero."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from maquette.evaluation import neighbours
from maquette.evaluation.neighbours import nearest, pixel_vectors
from scenes import scenes


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks, the last one short."""
    monkeypatch.setattr(neighbours, "_QUERIES_AT_ONCE", 16)
    monkeypatch.setattr(neighbours, "_REFERENCES_AT_ONCE", 13)


def points(count: int, seed: int, dims: int = 24) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(3, 1, (count, dims))).float()


@pytest.mark.parametrize(("n", "m", "k"), [(50, 100, 7), (5, 30, 30), (20, 4, 4)])
def test_agrees_with_scikit_learn(n: int, m: int, k: int, small_blocks: None) -> None:
    queries, references = points(n, 0), points(m, 1)
    expected = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(references.double())
    distances, indices = expected.kneighbors(queries.double())
    ours = nearest(queries, references, k)
    assert ours.distances.numpy() == pytest.approx(distances, rel=1e-5)
    assert (ours.indices.numpy() == indices).all()


def test_a_mirrored_reference_counts_once_and_as_its_nearer_view(small_blocks: None) -> None:
    queries, plain, mirrored = points(30, 0), points(40, 1), points(40, 2)
    both = torch.minimum(torch.cdist(queries, plain), torch.cdist(queries, mirrored))
    ours = nearest(queries, plain, 5, mirrored)
    assert ours.distances.numpy() == pytest.approx(both.sort(1).values[:, :5].numpy(), rel=1e-4)
    assert (ours.indices == both.argsort(1)[:, :5]).all()


def test_a_copy_is_at_zero_even_far_from_the_origin(small_blocks: None) -> None:
    references = points(60, 0) + 1000
    ours = nearest(references[[7, 33]], references, 2)
    assert ours.distances[:, 0].tolist() == [0, 0]
    assert ours.indices[:, 0].tolist() == [7, 33]
    assert ours.distances[:, 1].min() > 0.1


def test_of_equal_references_the_first_is_nearest(small_blocks: None) -> None:
    references = points(10, 0).repeat(4, 1)
    assert nearest(references[[3]], references, 4).indices.tolist() == [[3, 13, 23, 33]]


def test_there_are_no_more_neighbours_than_references() -> None:
    assert nearest(points(3, 0), points(2, 1), 51).indices.shape == (3, 2)


def test_the_mirrored_vectors_are_those_of_mirrored_pictures() -> None:
    pictures = scenes(4, seed=0, size=(36, 48))
    plain, mirrored = pixel_vectors(pictures)
    assert plain.shape == (4, 3 * 12 * 16)
    assert torch.allclose(mirrored, pixel_vectors(pictures.flip(3)).plain, atol=1e-6)
    assert not torch.allclose(mirrored, plain, atol=1e-2)
