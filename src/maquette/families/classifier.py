"""Tells classes of pictures apart: digits, drawings, photos.

The default network is small enough for a web page. What makes few pictures go a long way is done to
every batch on its device, by the pictures' own seeds: bending (objectives/warping.py) and mixup.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.errors import unknown_name
from maquette.core.family import Classifies, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec
from maquette.core.mistakes import mistakes_first
from maquette.core.settings import Settings as AnySettings
from maquette.networks.small_classifier import SmallClassifier
from maquette.networks.timm_classifier import load_timm_classifier
from maquette.networks.vgg import Vgg
from maquette.objectives.mixing import mixed, smoothed
from maquette.objectives.warping import WarpSettings, warp

NETWORKS = {"small": SmallClassifier, "vgg": Vgg}
TIMM = "timm:"


class ClassifierSettings(AnySettings):
    """Network and regularisation of a classifier."""

    network: str = "small"
    """small (light and accurate), vgg (the classic) or timm:NAME, any network of timm."""

    width: int = Field(default=12, ge=1, le=512)
    """Unit of the channels of small and vgg: 12 suits a CPU and a web page."""

    pretrained: bool = False
    """Begin with timm's own weights, downloaded; only for timm:NAME."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of the last features that is left out of every step, drawn anew each time."""

    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    """Share of the certainty that is spread over all classes (Szegedy et al. 2016, section 7)."""

    mixup: float = Field(default=0.0, ge=0, le=10)
    """Lay pictures over each other, as evenly as this says (alpha of Zhang et al. 2018); 0 never,
    0.2 a little, 1 in any proportion."""

    augmentation: WarpSettings = WarpSettings()
    """How pictures are bent while they are learnt from."""

    mirrored_answers: bool = False
    """Answer by a picture and its mirror image together: right a little more often, in twice the
    time. Only for what was learnt with data.mirror."""

    @field_validator("network")
    @classmethod
    def _network_exists(cls, name: str) -> str:
        of_timm = name.startswith(TIMM) and name != TIMM
        if name not in NETWORKS and not of_timm:
            raise ValueError(unknown_name("network", name, [*NETWORKS, "timm:NAME"]))
        return name

    @model_validator(mode="after")
    def _weights_are_timms(self) -> "ClassifierSettings":
        if self.pretrained and not self.network.startswith(TIMM):
            raise ValueError(
                f"pretrained weights exist for timm:NAME alone: leave it false for {self.network}"
            )
        return self


class Classifier(Classifies):
    """One player, `classifier`."""

    Settings = ClassifierSettings
    settings: ClassifierSettings

    def __init__(self, settings: ClassifierSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        if settings.network in NETWORKS:
            network = NETWORKS[settings.network](spec, settings.width, settings.dropout)
        else:
            name = settings.network.removeprefix(TIMM)
            network = load_timm_classifier(name, spec, settings.dropout, settings.pretrained)
        self.classifier: nn.Module = network

    @classmethod
    def for_saved_weights(cls, settings: AnySettings, spec: ImageSpec) -> "Classifier":
        assert isinstance(settings, ClassifierSettings)
        return cls(settings.model_copy(update={"pretrained": False}), spec)

    @classmethod
    def objection(cls, settings: AnySettings, last: Progress, mirrored: bool) -> str | None:  # noqa: ARG003
        assert isinstance(settings, ClassifierSettings)
        if mirrored or not settings.mirrored_answers:
            return None
        return (
            "model.mirrored_answers asks about mirror images, which are learnt with data.mirror "
            "alone: set both to true, or to false where left and right differ as in letters"
        )

    def logits(self, images: Images) -> Float[Tensor, "batch classes"]:
        if self.training or not self.settings.mirrored_answers:
            logits: Tensor = self.classifier(images)
            return logits
        both: Tensor = self.classifier(torch.cat([images, images.flip(3)]))
        return both.reshape(2, -1, both.shape[1]).mean(0)

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:  # noqa: ARG002
        assert batch.labels is not None
        s = self.settings
        images = warp(batch.images, batch.seeds, s.augmentation, "warp")
        classes = len(self.spec.classes)
        images, targets = mixed(images, batch.labels, classes, batch.seeds, s.mixup)
        logits = self.logits(images).float()
        loss = F.cross_entropy(logits, smoothed(targets, s.label_smoothing))
        right = (logits.argmax(1) == batch.labels).float().mean()
        yield Update("classifier", loss, {"training_accuracy": right})

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        assert batch.labels is not None
        return mistakes_first(batch.images, self.classify(batch.images), batch.labels)


family = Classifier
