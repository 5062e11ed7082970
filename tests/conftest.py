"""Small datasets and sessions that many tests share."""

import os
from pathlib import Path

import hypothesis
import pytest
import torch

from maquette.core.images import ImageSpec
from maquette.data.dataset import ImageDataset

torch.set_num_threads(1)  # tests run side by side, one core each

# No deadlines, and the same examples every time: a busy machine must not turn a green change red.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")


def toy_dataset(
    height: int = 16, width: int = 16, classes: int = 3, count: int = 20, channels: int = 3
) -> ImageDataset:
    """Random pictures with partners, the same ones every time."""
    spec = ImageSpec(channels, height, width, tuple("abcdefghij"[:classes]))
    labels = torch.arange(count) % classes if classes else None
    partners = ImageDataset(random_pixels(count + 3, spec, seed=1), spec)
    return ImageDataset(random_pixels(count, spec, seed=0), spec, labels=labels, partners=partners)


def random_pixels(count: int, spec: ImageSpec, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *spec.shape), generator=generator, dtype=torch.uint8)


@pytest.fixture
def real_data() -> Path:
    """The folder of real pictures; the test is skipped where there is none."""
    if not (folder := os.environ.get("MAQUETTE_REAL_DATA")):
        pytest.skip("needs real pictures: set MAQUETTE_REAL_DATA")
    return Path(folder)
