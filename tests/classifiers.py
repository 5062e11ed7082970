"""The smallest classifier there can be, and runs that seem to serve it."""

import torch
from torch import Tensor, nn

from maquette.core.family import Classifies, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec
from maquette.core.settings import Settings


class TinyClassifier(Classifies):
    """Two convolutions; weights from a seed, so that answers differ and stay."""

    Settings = Settings

    def __init__(self, spec: ImageSpec, width: int = 8):
        super().__init__(Settings(), spec)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Sequential(
                nn.Conv2d(spec.channels, width, 3, stride=2, padding=1),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(width * -(-spec.height // 4) * -(-spec.width // 4), len(spec.classes)),
            )
        self.temperature.fill_(0.2)

    def logits(self, images: Images) -> Tensor:
        return self.network(images)

    def training_step(self, batch: Batch, progress: Progress):
        loss = nn.functional.cross_entropy(self.logits(batch.images), batch.labels)
        yield Update("network", loss)

    def preview(self, batch: Batch) -> Images:
        return batch.images
