"""Names the class whose mean picture is nearest: a classifier that learns in a second."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.family import Classifies, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec
from maquette.core.settings import Settings


class NearestMeansSettings(Settings):
    """How sure it is of itself."""

    sharpness: float = 0.1
    """What squared distances are multiplied by."""


class Means(nn.Module):
    def __init__(self, spec: ImageSpec):
        super().__init__()
        self.pictures = nn.Parameter(torch.zeros(len(spec.classes), *spec.shape))


class NearestMeans(Classifies):
    Settings = NearestMeansSettings
    settings: NearestMeansSettings

    def __init__(self, settings: NearestMeansSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        self.means = Means(spec)

    def logits(self, images: Images) -> Tensor:
        between = torch.cdist(images.flatten(1), self.means.pictures.flatten(1))
        return -self.settings.sharpness * between.square()

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        yield Update("means", F.mse_loss(self.means.pictures[batch.labels], batch.images))

    def preview(self, batch: Batch) -> Images:
        return self.means.pictures.detach()


family = NearestMeans
