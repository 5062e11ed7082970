"""Structural similarity against scikit-image and torchmetrics.

torchmetrics 1.9 averages SSIM over mirrored margins too, which the published programs cut off (its
contrast term, skimage and ours do not): up to 0.025 apart, so its map is cut here before averaging.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure as torchmetrics_ms_ssim,
)
from torchmetrics.functional.image import structural_similarity_index_measure

from maquette.evaluation.similarity import ms_ssim, ssim
from scenes import scenes


def pair(
    size: tuple[int, int], channels: int = 3, count: int = 3
) -> tuple[torch.Tensor, torch.Tensor]:
    first = scenes(count, seed=0, size=size, channels=channels).float() / 255
    noise = torch.rand(first.shape, generator=torch.Generator().manual_seed(1))
    return first, (0.8 * first + 0.2 * noise).clamp(0, 1)


@pytest.mark.parametrize("size", [(32, 48), (11, 11), (40, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_scikit_image(size: tuple[int, int], channels: int) -> None:
    first, second = pair(size, channels)
    for one, other, found in zip(first, second, ssim(first, second), strict=True):
        expected = structural_similarity(
            one.double().numpy(),
            other.double().numpy(),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=0,
        )
        assert found.item() == pytest.approx(expected, abs=1e-6)


def cut_ssim(first: torch.Tensor, second: torch.Tensor) -> np.ndarray:
    """torchmetrics, without the margins."""
    _, full = structural_similarity_index_measure(
        first.double(), second.double(), data_range=1.0, reduction="none", return_full_image=True
    )
    return full[:, :, 5:-5, 5:-5].mean((1, 2, 3)).numpy()


@pytest.mark.parametrize("size", [(32, 48), (64, 64)])
def test_agrees_with_torchmetrics(size: tuple[int, int]) -> None:
    first, second = pair(size)
    assert ssim(first, second).numpy() == pytest.approx(cut_ssim(first, second), abs=1e-4)


def published_ms_ssim(first: torch.Tensor, second: torch.Tensor, weights: np.ndarray) -> np.ndarray:
    """From torchmetrics' contrast on all scales but the last, its SSIM on that."""
    value = np.ones(len(first))
    for weight in weights[:-1]:
        _, contrast = structural_similarity_index_measure(
            first.double(),
            second.double(),
            data_range=1.0,
            reduction="none",
            return_contrast_sensitivity=True,
        )
        value *= contrast.numpy() ** weight
        first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
    return value * cut_ssim(first, second) ** weights[-1]


@pytest.mark.parametrize(
    ("size", "scales"), [((192, 208), 5), ((176, 200), 5), ((175, 200), 4), ((40, 60), 2)]
)
def test_ms_ssim_agrees_with_torchmetrics(size: tuple[int, int], scales: int) -> None:
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    first, second = pair(size, channels=1)
    expected = published_ms_ssim(first, second, weights / weights.sum())
    assert ms_ssim(first, second).numpy() == pytest.approx(expected, abs=1e-4)
    if scales == 5:  # the whole of torchmetrics, margins of the smallest scale included
        whole = torchmetrics_ms_ssim(first, second, data_range=1.0, reduction="none")
        assert ms_ssim(first, second).numpy() == pytest.approx(whole.numpy(), abs=5e-3)


@pytest.mark.parametrize("size", [(5, 40), (8, 8), (1, 3), (10, 11)])
def test_pictures_smaller_than_the_window(size: tuple[int, int]) -> None:
    first, second = pair(size)
    assert ssim(first, first).tolist() == pytest.approx([1] * 3)
    assert (ssim(first, second) < 1).all()
    assert (ms_ssim(first, second) < 1).all()


def test_a_window_as_large_as_the_picture_is_the_formula_with_weighted_moments() -> None:
    first, second = pair((5, 5), channels=1, count=1)
    places = np.arange(-2, 3)
    line = np.exp(-(places**2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    x, y = (p[0, 0].double().numpy() for p in (first, second))
    mx, my = (weights * x).sum(), (weights * y).sum()
    vx, vy, cov = ((weights * a).sum() for a in ((x - mx) ** 2, (y - my) ** 2, (x - mx) * (y - my)))
    expected = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert ssim(first, second).item() == pytest.approx(expected, abs=1e-9)


def test_the_opposite_is_dissimilar_and_blocks_change_nothing() -> None:
    first, second = pair((16, 16), count=130)
    assert (ssim(first, 1 - first) < 0).all()
    assert (ms_ssim(first, 1 - first) == 0).all()
    assert torch.allclose(ssim(first, second)[100:], ssim(first[100:], second[100:]))
