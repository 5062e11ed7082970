"""The denoising U-Net: sizes, classes, and that it is diffusers' network."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from maquette.core.images import ImageSpec
from maquette.networks.unet import Unet, UnetSettings, group_count
from maquette.networks.unet_folder import diffusers_config

SETTINGS = UnetSettings(width=8, multipliers=(1, 2), blocks=2, attention=(1,))


def awake(network):
    """The same with random numbers where it begins with zeros."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, 0, 0.1)
    return network


@pytest.mark.parametrize("size", [(8, 8), (9, 14), (16, 11)])
@pytest.mark.parametrize("encoding", ["sinusoidal", "fourier"])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_any_size(size, encoding, patch):
    settings = SETTINGS.model_copy(update={"encoding": encoding, "patch": patch})
    network = Unet(ImageSpec(3, *size), settings)
    images = torch.randn(2, 3, *size)
    assert network(images, torch.tensor([0.0, 999.0]), None).shape == images.shape
    assert network(images[:0], torch.tensor([]), None).shape == images[:0].shape


def test_a_patch_is_the_pixels_beside_each_other():
    """What is at one place changes the network's view of that place alone."""
    network = Unet(ImageSpec(1, 5, 7), SETTINGS.model_copy(update={"patch": 2}))
    images = torch.zeros(1, 1, 5, 7)
    images[0, 0, 3, 5] = 1.0
    patches = network._patches(images)
    assert patches.shape == (1, 4, 3, 4)
    assert patches.nonzero().tolist() == [[0, 3, 1, 2]]  # below and right in its patch


def test_it_begins_by_answering_zero():
    answer = Unet(ImageSpec(1, 8, 8), SETTINGS)(torch.randn(1, 1, 8, 8), torch.ones(1), None)
    assert not answer.any()


def test_level_and_class_matter():
    network = awake(Unet(ImageSpec(1, 8, 8, ("a", "b")), SETTINGS))
    images = torch.randn(1, 1, 8, 8).expand(4, -1, -1, -1)
    clock, labels = torch.tensor([5.0, 500.0, 5.0, 5.0]), torch.tensor([0, 0, 1, 2])
    first, *others = network(images, clock, labels)
    assert all(not torch.allclose(first, other) for other in others)


def test_what_was_done_to_a_picture_matters_and_nothing_done_is_nothing_told():
    network = awake(Unet(ImageSpec(1, 8, 8), SETTINGS, told=2))
    images, clock = torch.randn(2, 1, 8, 8), torch.tensor([5.0, 500.0])
    untold = network(images, clock, None)
    told = network(images, clock, None, told=torch.tensor([[0.0, 0.0], [0.5, 0.0]]))
    torch.testing.assert_close(told[:1], untold[:1])
    assert not torch.allclose(told[1:], untold[1:])


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(ValidationError, match="stages are 0 to 1"):
        UnetSettings(multipliers=(1, 2), attention=(2,))


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(ValidationError, match="head_channels 6 does not divide"):
        UnetSettings(width=8, multipliers=(1, 2), head_channels=6)


@pytest.mark.parametrize(("width", "groups"), [(4, 1), (12, 3), (32, 8), (96, 24), (256, 32)])
def test_groups_divide_every_stage(width, groups):
    assert group_count(width) == groups


@pytest.mark.parametrize("classes", [(), ("a", "b")])
@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        UnetSettings(width=8, multipliers=(1, 2, 2)),
        UnetSettings(width=8, multipliers=(1, 2), attention=(0, 1), head_channels=4),
    ],
)
def test_it_is_the_network_of_diffusers(settings, classes):
    diffusers = pytest.importorskip("diffusers")
    spec = ImageSpec(3, 16, 24, classes)
    ours = awake(Unet(spec, settings))
    theirs = diffusers.UNet2DModel(**diffusers_config(spec, settings))
    theirs.load_state_dict(ours.state_dict())
    images, clock = torch.randn(2, 3, 16, 24), torch.tensor([3.0, 700.0])
    labels = torch.tensor([0, 2]) if classes else None
    with torch.no_grad():
        expected = theirs(images, clock, labels).sample
        torch.testing.assert_close(ours(images, clock, labels), expected, atol=1e-5, rtol=1e-4)
