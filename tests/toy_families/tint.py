"""Translates by mixing colours: it begins as the identity and stays there, unless told to shift."""

from collections.abc import Iterator

import torch
from torch import nn

from maquette.core.family import Progress, Translates, Update
from maquette.core.images import Batch, Images, ImageSpec
from maquette.core.settings import Settings


class TintSettings(Settings):
    """What becomes of brightness."""

    shift: float = 0.0
    """Added from a to b, in [-1, 1] pictures; taken away from b to a."""


class Tint(Translates):
    Settings = TintSettings
    settings: TintSettings

    def __init__(self, settings: TintSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        channels = spec.channels
        self.mixer = nn.ModuleDict()
        for direction, sign in (("a_to_b", 1.0), ("b_to_a", -1.0)):
            convolution = nn.Conv2d(channels, channels, 1)
            nn.init.eye_(convolution.weight.data[:, :, 0, 0])
            nn.init.constant_(convolution.bias, sign * settings.shift)
            self.mixer[direction] = convolution

    def translate(self, images: Images, direction: str) -> Images:
        return self.mixer[direction](images)

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        made = self.translate(batch.images, "a_to_b") + self.translate(batch.images, "b_to_a")
        yield Update("mixer", 0.0 * made.square().mean())

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        return self.translate(batch.images, "a_to_b")


family = Tint
