"""The three pairs of GAN networks: sizes, classes, starts and numbers of parameters."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from maquette.core.errors import SettingsError
from maquette.core.images import ImageSpec
from maquette.networks.dcgan import DcganDiscriminator, DcganGenerator
from maquette.networks.dense import DenseDiscriminator, DenseGenerator
from maquette.networks.grids import coarse_grid, levels
from maquette.networks.residual import ResidualBlock, ResidualDiscriminator, ResidualGenerator

PAIRS = {
    "dense": (DenseGenerator, DenseDiscriminator),
    "dcgan": (DcganGenerator, DcganDiscriminator),
    "residual": (ResidualGenerator, ResidualDiscriminator),
}


def pair(name, spec, latents=5, width=4):
    torch.manual_seed(0)
    generator, discriminator = PAIRS[name]
    return generator(spec, latents, width), discriminator(spec, width)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", PAIRS)
@given(
    height=st.integers(8, 70),
    width=st.integers(8, 70),
    channels=st.sampled_from([1, 3]),
    classes=st.integers(0, 3),
)
@settings(max_examples=15, deadline=None)
def test_any_size_from_8_px_with_and_without_classes(name, height, width, channels, classes):
    spec = ImageSpec(channels, height, width, tuple("abc"[:classes]))
    generator, discriminator = pair(name, spec)
    labels = torch.zeros(2, dtype=torch.long) if classes else None
    images = generator(torch.randn(2, 5), labels)
    assert images.shape == (2, channels, height, width)
    assert images.abs().max() <= 1
    assert discriminator(images, labels).shape == (2,)


@pytest.mark.parametrize("name", PAIRS)
def test_the_class_matters_to_both_players(name):
    generator, discriminator = (n.eval() for n in pair(name, ImageSpec(1, 16, 16, ("a", "b"))))
    latents, ones = torch.randn(3, 5), torch.ones(3, dtype=torch.long)
    images = generator(latents, ones)
    assert not torch.allclose(images, generator(latents, 0 * ones))
    assert not torch.allclose(discriminator(images, ones), discriminator(images, 0 * ones))


@pytest.mark.parametrize("name", ["dcgan", "residual"])
def test_too_small_pictures_are_refused_with_a_way_out(name):
    with pytest.raises(SettingsError, match=r"7x64 px are too small.*dense"):
        pair(name, ImageSpec(3, 7, 64))


@given(height=st.integers(8, 600), width=st.integers(8, 600))
def test_the_coarse_grid_is_about_4_and_covers_the_picture(height, width):
    spec = ImageSpec(3, height, width)
    halvings = levels(spec)
    grid = coarse_grid(spec, halvings)
    assert 3 <= min(grid) <= 6
    assert all(
        side - 2**halvings < size <= side
        for side, size in zip(
            (grid[0] << halvings, grid[1] << halvings), (height, width), strict=True
        )
    )


def test_dcgan_is_the_size_of_the_pytorch_tutorial_at_64_px():
    generator, discriminator = pair("dcgan", ImageSpec(3, 64, 64), latents=100, width=64)
    assert parameters(generator) == 3_576_704
    assert parameters(discriminator) == 2_765_568


def test_dcgan_starts_as_published():
    generator, _ = pair("dcgan", ImageSpec(3, 64, 64), latents=100, width=64)
    for layer in generator.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)


def test_dense_has_three_hidden_layers_each_side():
    spec, latents, width = ImageSpec(3, 10, 14), 7, 6
    generator, discriminator = pair("dense", spec, latents, width)
    pixels, sizes = 3 * 10 * 14, (6, 12, 24)
    weights = 7 * 6 + 6 * 12 + 12 * 24 + 24 * pixels
    assert parameters(generator) == weights + 3 * sum(sizes) + pixels  # bias, scale, shift; bias
    weights = pixels * 24 + 24 * 12 + 12 * 6 + 6
    assert parameters(discriminator) == weights + sum(sizes) + 1
    assert [m.p for m in discriminator.modules() if isinstance(m, nn.Dropout)] == [0.5] * 3


def test_residual_blocks_start_as_the_identity():
    torch.manual_seed(0)
    features = torch.randn(2, 8, 5, 7)
    torch.testing.assert_close(ResidualBlock(8, 3)(features), features)


def test_the_residual_pair_starts_at_a_sensible_scale():
    generator, discriminator = pair("residual", ImageSpec(3, 64, 64), latents=64, width=16)
    images = generator(torch.randn(32, 64), None)
    assert 0.1 < images.std() < 0.9
    assert 0.1 < discriminator(images, None).std() < 3
