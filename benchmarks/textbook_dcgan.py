"""The DCGAN of the textbooks, written out plainly: what most people train first (64 px RGB).

Radford et al. 2016 in its usual tutorial form: 64 feature maps each side, batch 64, Adam 2e-4 with
beta1 0.5, binary cross-entropy, no augmentation, no weight average. Independent of Maquette on
purpose; pictures go in and come out as uint8.
"""

import time

import torch
from torch import Tensor, nn

LATENTS, WIDTH, BATCH = 100, 64, 64


def generator() -> nn.Module:
    def up(inputs: int, outputs: int, stride: int = 2, padding: int = 1) -> list[nn.Module]:
        convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(True)]

    return nn.Sequential(
        *up(LATENTS, WIDTH * 8, 1, 0),
        *up(WIDTH * 8, WIDTH * 4),
        *up(WIDTH * 4, WIDTH * 2),
        *up(WIDTH * 2, WIDTH),
        nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def discriminator() -> nn.Module:
    def down(inputs: int, outputs: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]

    return nn.Sequential(
        nn.Conv2d(3, WIDTH, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, True),
        *down(WIDTH, WIDTH * 2),
        *down(WIDTH * 2, WIDTH * 4),
        *down(WIDTH * 4, WIDTH * 8),
        nn.Conv2d(WIDTH * 8, 1, 4, 1, 0, bias=False),
        nn.Flatten(0),
    )


def train(pixels: Tensor, seconds: float, seed: int = 0) -> tuple[nn.Module, int]:
    """The generator after so many seconds of wall time, and the steps it took."""
    torch.manual_seed(seed)
    real = pixels.float() / 127.5 - 1
    nets = generator(), discriminator()
    for net in nets:
        net.apply(_initialise)
    made, judge = nets
    optimizers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in nets]
    loss = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    started, step = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        for rows in torch.randperm(len(real))[: len(real) // BATCH * BATCH].split(BATCH):
            fakes = made(torch.randn(BATCH, LATENTS, 1, 1))
            optimizers[1].zero_grad()
            (loss(judge(real[rows]), ones) + loss(judge(fakes.detach()), zeros)).backward()
            optimizers[1].step()
            optimizers[0].zero_grad()
            loss(judge(fakes), ones).backward()
            optimizers[0].step()
            step += 1
            if time.monotonic() - started >= seconds:
                break
    return made.eval(), step


@torch.no_grad()
def sample(made: nn.Module, count: int, seed: int = 1) -> Tensor:
    """uint8 (count, 3, 64, 64)."""
    torch.manual_seed(seed)
    batches = [made(torch.randn(min(50, count - i), LATENTS, 1, 1)) for i in range(0, count, 50)]
    return ((torch.cat(batches) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
