"""The ArtGAN of its paper, written out plainly: eager, float32, one network after the other.

Tan et al. 2017 (arXiv 1702.03410) at 64 px: encoder and clsNet, zNet and decoder, K + 1 questions
answered by sigmoids, the squared error of redrawn pictures, RMSprop 1e-3 with decay 0.9.
Independent of Maquette on purpose; noise and classes come from the caller, so that two
implementations can be given the same. No weight average.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENTS = 100


def down(before: int, after: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]


def up(before: int, after: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(before, after, kernel, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(True)]


class TextbookArtGan:
    """Four networks in two players, two optimizers, and `step`."""

    def __init__(self, classes: int, width: int, device: str = "cpu"):
        w = width
        self.classes = classes
        self.encoder = nn.Sequential(
            nn.Conv2d(3, w, 4, 2, 1),
            nn.LeakyReLU(0.2, True),
            *down(w, w, 3, 1),
            *down(w, 2 * w, 4, 2),
            *down(2 * w, 4 * w, 4, 2),
        )
        self.cls_net = nn.Sequential(
            *down(4 * w, 8 * w, 4, 2), nn.Flatten(), nn.Linear(8 * w * 16, classes + 1)
        )
        self.z_net = nn.Sequential(
            nn.Unflatten(1, (-1, 1, 1)),
            nn.ConvTranspose2d(LATENTS + classes, 8 * w, 4, bias=False),
            nn.BatchNorm2d(8 * w),
            nn.ReLU(True),
            *up(8 * w, 4 * w, 4, 2),
        )
        self.decoder = nn.Sequential(
            *up(4 * w, 2 * w, 4, 2),
            *up(2 * w, w, 4, 2),
            *up(w, w, 3, 1),
            nn.ConvTranspose2d(w, 3, 4, 2, 1),
            nn.Sigmoid(),
        )
        self.discriminator = nn.Sequential(self.encoder, self.cls_net).to(device)
        self.generator = nn.Sequential(self.z_net, self.decoder).to(device)
        players = self.discriminator, self.generator
        self.optimizers = [torch.optim.RMSprop(p.parameters(), 1e-3, 0.9) for p in players]

    def step(
        self, images: Tensor, labels: Tensor, noise: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One turn of each player, on pictures in [-1, 1]; the two losses."""
        asked = torch.cat([noise, F.one_hot(wanted, self.classes).float()], 1)
        fakes = 2 * self.generator(asked) - 1
        generated = torch.full_like(labels, self.classes)
        loss = self.surprise(images, labels) + self.surprise(fakes.detach(), generated)
        self.optimizers[0].zero_grad()
        loss.backward()
        self.optimizers[0].step()

        self.discriminator.requires_grad_(False)
        redrawn = self.decoder(self.encoder(images))
        error = F.mse_loss(redrawn, (images + 1) / 2)
        made = self.surprise(fakes, wanted) + error
        self.optimizers[1].zero_grad()
        made.backward()
        self.optimizers[1].step()
        self.discriminator.requires_grad_(True)
        return loss.detach(), made.detach()

    def surprise(self, images: Tensor, labels: Tensor) -> Tensor:
        targets = F.one_hot(labels, self.classes + 1).float()
        answers = self.discriminator(images)
        return F.binary_cross_entropy_with_logits(answers, targets, reduction="none").sum(1).mean()
