"""ArtGAN's networks: the sizes of every stage and the parameters, by formulas of their own."""

import pytest
import torch
from torch import nn

from maquette.core.images import ImageSpec
from maquette.networks.artgan import Discriminator, Generator

STYLES = tuple(f"style {i}" for i in range(5))


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def outputs(network: nn.Module, kinds: tuple[type[nn.Module], ...], *inputs) -> list[tuple]:
    """The shapes, without the batch, that layers of these kinds give, in order."""
    shapes: list[tuple] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _in, out: shapes.append(tuple(out.shape[1:])))
        for layer in network.modules()
        if isinstance(layer, kinds)
    ]
    network(*inputs)
    for hook in hooks:
        hook.remove()
    return shapes


@pytest.mark.parametrize(("size", "stages"), [(64, 4), (128, 5)])
def test_the_discriminator_has_the_papers_stages(size, stages):
    width = 4
    network = Discriminator(ImageSpec(3, size, size, STYLES), width, 6, dropout=0.0)
    seen = outputs(network, (nn.Conv2d, nn.Linear), torch.zeros(2, 3, size, size))
    channels = [width * min(2**i, 8) for i in range(stages)]
    halved = [(c, size // 2 ** (i + 1), size // 2 ** (i + 1)) for i, c in enumerate(channels)]
    assert seen == [halved[0], halved[0], *halved[1:], (6,)]
    assert halved[-1][1:] == (4, 4)


@pytest.mark.parametrize(("size", "stages"), [(64, 4), (128, 5)])
def test_the_generator_mirrors_it(size, stages):
    width, latents = 4, 10
    network = Generator(ImageSpec(3, size, size, STYLES), width, latents, dropout=0.0)
    seen = outputs(network, (nn.ConvTranspose2d,), torch.zeros(2, latents), torch.eye(5)[:2])
    channels = [width * min(2**i, 8) for i in range(stages)]
    halved = [(c, size // 2 ** (i + 1), size // 2 ** (i + 1)) for i, c in enumerate(channels)]
    assert seen == [*halved[::-1], halved[0], (3, size, size)]


def test_at_64_px_the_parameters_are_the_papers():
    """Width 128, 5 classes: weights of each layer written out; a bias where no norm follows."""
    spec = ImageSpec(3, 64, 64, STYLES)

    def norm(channels: int) -> int:
        return 2 * channels

    encoder = (3 * 128 * 16 + 128) + (128 * 128 * 9 + norm(128))
    encoder += (128 * 256 * 16 + norm(256)) + (256 * 512 * 16 + norm(512))
    cls_net = (512 * 1024 * 16 + norm(1024)) + (1024 * 4 * 4 * 6 + 6)
    z_net = (105 * 1024 * 16 + norm(1024)) + (1024 * 512 * 16 + norm(512))
    decoder = (512 * 256 * 16 + norm(256)) + (256 * 128 * 16 + norm(128))
    decoder += (128 * 128 * 9 + norm(128)) + (128 * 3 * 16 + 3)
    discriminator, generator = Discriminator(spec, 128, 6, 0.0), Generator(spec, 128, 100, 0.0)
    assert parameters(discriminator.encoder) == encoder
    assert parameters(discriminator.cls_net) == cls_net
    assert parameters(generator.z_net) == z_net
    assert parameters(generator.decoder) == decoder


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 24), (30, 41)])
def test_z_net_gives_what_the_encoder_gives(height, width):
    spec = ImageSpec(1, height, width)
    discriminator, generator = Discriminator(spec, 4, 2, 0.0), Generator(spec, 4, 7, 0.0)
    latents = torch.randn(3, 7)
    made = generator(latents, None)
    assert made.shape == (3, 1, height, width)
    features = discriminator.encoder(made)
    assert features.shape == generator.z_net(latents).shape
    assert generator.redraw(features).shape == made.shape
    assert made.abs().max() <= 1


def test_norms_are_everywhere_but_at_the_ends_and_weights_begin_as_published():
    spec = ImageSpec(3, 64, 64, STYLES)
    torch.manual_seed(0)
    discriminator, generator = Discriminator(spec, 32, 6, 0.0), Generator(spec, 32, 100, 0.0)
    assert isinstance(discriminator.encoder.layers[1], nn.LeakyReLU)  # no norm after the first
    for network in (discriminator, generator):
        convs = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        assert len(norms) == len(convs) - 1
        for conv in convs:
            assert conv.weight.std().item() == pytest.approx(0.02, rel=0.1)
    dense = discriminator.cls_net.answer
    assert dense.weight.std().item() == pytest.approx((2 / dense.in_features) ** 0.5, rel=0.1)


def test_redrawing_leaves_no_trace_in_running_statistics():
    generator = Generator(ImageSpec(3, 16, 16), 4, 7, 0.0).train()
    before = {name: buffer.clone() for name, buffer in generator.named_buffers()}
    generator.redraw(torch.randn(4, *generator.z_net(torch.randn(2, 7)).shape[1:]))
    decoder = {n: b for n, b in generator.named_buffers() if n.startswith("decoder.")}
    running = {n: b for n, b in decoder.items() if "running" in n}
    assert running and all(torch.equal(b, before[n]) for n, b in running.items())
    generator(torch.randn(4, 7), None)
    assert any(not torch.equal(b, before[n]) for n, b in running.items())


def test_dropout_is_in_encoder_and_decoder():
    spec = ImageSpec(3, 64, 64)
    discriminator, generator = Discriminator(spec, 4, 2, 0.3), Generator(spec, 4, 7, 0.3)
    for part, count in ((discriminator.encoder, 3), (generator.decoder, 3)):
        dropped = [m for m in part.modules() if isinstance(m, nn.Dropout)]
        assert len(dropped) == count and {m.p for m in dropped} == {0.3}
    for part in (discriminator.cls_net, generator.z_net):
        assert not any(isinstance(m, nn.Dropout) for m in part.modules())
