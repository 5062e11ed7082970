"""The CycleGAN of the textbooks, written out plainly: eager, float32, one network after the other.

Zhu et al. 2017 in its usual form: residual translators with reflected borders and instance
normalisation, 70 px patches, least squares (halved for the discriminators alone), cycle weight 10,
identity weight 5, a pool of 50 pictures, Adam 2e-4 with beta1 0.5.
Independent of Maquette on purpose. The pool's random choices come from the caller, so that two
implementations can be given the same.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CYCLE, IDENTITY, POOL = 10.0, 5.0, 50
Draws = list[tuple[float, float]]  # for each picture a coin and a place, both in [0, 1)


class ResnetBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def generator(width: int = 64, blocks: int = 6) -> nn.Sequential:
    layers = [
        nn.ReflectionPad2d(3),
        nn.Conv2d(3, width, 7),
        nn.InstanceNorm2d(width),
        nn.ReLU(True),
    ]
    for channels in (width, 2 * width):
        layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1)]
        layers += [nn.InstanceNorm2d(2 * channels), nn.ReLU(True)]
    layers += [ResnetBlock(4 * width) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1)]
        layers += [nn.InstanceNorm2d(channels // 2), nn.ReLU(True)]
    layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(width: int = 64) -> nn.Sequential:
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for before, after, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers += [nn.Conv2d(width * before, width * after, 4, stride, 1)]
        layers += [nn.InstanceNorm2d(width * after), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


class Pool:
    """Past translations: once full, half of the time one of them is shown instead."""

    def __init__(self) -> None:
        self.pictures: list[Tensor] = []

    def query(self, fresh: Tensor, draws: Draws) -> Tensor:
        shown = []
        for picture, (coin, place) in zip(fresh, draws, strict=True):
            if len(self.pictures) < POOL:
                self.pictures.append(picture)
                shown.append(picture)
            elif coin < 0.5:
                index = int(place * POOL)
                shown.append(self.pictures[index])
                self.pictures[index] = picture
            else:
                shown.append(picture)
        return torch.stack(shown)


class TextbookCycleGan:
    """Four networks, two optimizers, and `step`."""

    def __init__(self, width: int = 64, blocks: int = 6, device: str = "cpu"):
        self.a_to_b, self.b_to_a = (generator(width, blocks).to(device) for _ in range(2))
        self.judge_a, self.judge_b = (discriminator().to(device) for _ in range(2))
        self.judges = [self.judge_a, self.judge_b]
        for network in (self.a_to_b, self.b_to_a, *self.judges):
            network.apply(_initialise)
        self.pool_a, self.pool_b = Pool(), Pool()
        moving = itertools.chain(self.a_to_b.parameters(), self.b_to_a.parameters())
        judging = itertools.chain(self.judge_a.parameters(), self.judge_b.parameters())
        self.optimizer = torch.optim.Adam(moving, 2e-4, (0.5, 0.999))
        self.judges_optimizer = torch.optim.Adam(judging, 2e-4, (0.5, 0.999))

    def step(self, a: Tensor, b: Tensor, draws_a: Draws, draws_b: Draws) -> dict[str, Tensor]:
        """One turn of the translators and one of the judges, on pictures in [-1, 1]."""
        fake_b, fake_a = self.a_to_b(a), self.b_to_a(b)
        again_a, again_b = self.b_to_a(fake_b), self.a_to_b(fake_a)
        for judge in self.judges:
            judge.requires_grad_(False)
        cycle = F.l1_loss(again_a, a) + F.l1_loss(again_b, b)
        identity = F.l1_loss(self.a_to_b(b), b) + F.l1_loss(self.b_to_a(a), a)
        fooling = _wants(self.judge_b(fake_b), 1.0) + _wants(self.judge_a(fake_a), 1.0)
        loss = fooling + CYCLE * cycle + IDENTITY * identity
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

        for judge in self.judges:
            judge.requires_grad_(True)
        self.judges_optimizer.zero_grad()
        past_a = self.pool_a.query(fake_a.detach(), draws_a)
        past_b = self.pool_b.query(fake_b.detach(), draws_b)
        judged_a = (_wants(self.judge_a(a), 1.0) + _wants(self.judge_a(past_a), 0.0)) / 2
        judged_b = (_wants(self.judge_b(b), 1.0) + _wants(self.judge_b(past_b), 0.0)) / 2
        judged_a.backward()
        judged_b.backward()
        self.judges_optimizer.step()
        return {"translators": loss.detach(), "discriminators": (judged_a + judged_b).detach()}


def _wants(scores: Tensor, value: float) -> Tensor:
    return F.mse_loss(scores, torch.full_like(scores, value))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)
