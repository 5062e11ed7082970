"""Generative adversarial network, conditional whenever the dataset has classes.

The default is R3GAN-like (Huang et al. 2024): a relativistic game between plain residual networks,
kept stable by gradient penalties at real (R1) and generated (R2) pictures, with differentiable
augmentation because datasets here are small. The same family holds the classic networks and losses.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from maquette.core.family import Blends, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec, Labels, Scalar, Seeds, Shares
from maquette.core.randomness import noise
from maquette.core.settings import Settings
from maquette.networks.conditioning import scale_descriptions
from maquette.networks.dcgan import DcganDiscriminator, DcganGenerator
from maquette.networks.dense import DenseDiscriminator, DenseGenerator
from maquette.networks.residual import ResidualDiscriminator, ResidualGenerator
from maquette.objectives.adversarial import LOSSES, LossName, Scores
from maquette.objectives.augmentation import AugmentationSettings, adapted, augment
from maquette.objectives.penalties import squared_gradient

NETWORKS = {
    "dense": (DenseGenerator, DenseDiscriminator),
    "dcgan": (DcganGenerator, DcganDiscriminator),
    "residual": (ResidualGenerator, ResidualDiscriminator),
}


class StrengthSettings(Settings):
    """How often each augmentation happens to a picture."""

    initial: float = Field(default=0.2, ge=0, le=1)
    """Probability of each augmentation at the start (throughout, unless adaptive)."""

    adaptive: bool = False
    """Raise the probability when the discriminator overfits, lower it when it does not."""

    target: float = Field(default=0.6, gt=-1, lt=1)
    """Where the mean sign of the discriminator's score of real pictures should stay."""

    pace_images: int = Field(default=50_000, ge=1)
    """Training images for the probability to change by 1 while the mean sign is off by 1."""


class GanSettings(Settings):
    """Networks, game and regularisation of a GAN."""

    network: Literal["residual", "dcgan", "dense"] = "residual"
    """Architecture of both players."""

    width: int = Field(default=16, ge=1, le=1024)
    """Channels of the finest stage (units of the narrowest hidden layer for dense).

    16 suits a CPU; a GPU has time for 32 to 64.
    """

    latents: int = Field(default=64, ge=1, le=4096)
    """Random numbers each picture is made from."""

    loss: LossName = "relativistic"
    """The game the players play."""

    r1: float = Field(default=1.0, ge=0)
    """Weight (gamma) of the gradient penalty at real pictures."""

    r2: float = Field(default=1.0, ge=0)
    """Weight (gamma) of the gradient penalty at generated pictures."""

    penalty_interval_steps: int = Field(default=4, ge=1)
    """Apply the penalties every so many steps, so many times as strongly (Karras et al. 2020)."""

    unconditional_share: float = Field(default=0.0, ge=0, lt=1)
    """First share of training without classes. Told of them from the start, a small set's pictures
    of one class may all become alike (Shahbazi et al. 2022, "Collapse by Conditioning")."""

    fading_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of training after it, over which classes come to matter."""

    class_scale: float = Field(default=1.0, gt=0, le=10)
    """How large a class's description is at first, beside latents of 1: smaller leaves more of the
    picture to the latents."""

    augmentation: AugmentationSettings = AugmentationSettings()
    """What the discriminator sees of a picture."""

    strength: StrengthSettings = StrengthSettings()
    """How often it sees it changed."""

    @model_validator(mode="after")
    def _classes_are_learnt(self) -> "GanSettings":
        if self.unconditional_share + self.fading_share >= 1:
            raise ValueError(
                f"unconditional_share {self.unconditional_share} and fading_share "
                f"{self.fading_share} leave nothing of training for classes: they must add up to "
                "less than 1"
            )
        return self


class Gan(Blends):
    """Two players, `generator` and `discriminator`; the latter moves first."""

    Settings = GanSettings
    settings: GanSettings
    strength: Tensor
    class_share: Tensor

    def __init__(self, settings: GanSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        generator, discriminator = NETWORKS[settings.network]
        self.generator: nn.Module = generator(spec, settings.latents, settings.width)
        scale_descriptions(self.generator, settings.class_scale)
        self.discriminator: nn.Module = discriminator(spec, settings.width)
        self.register_buffer("strength", torch.tensor(settings.strength.initial))
        fades = settings.unconditional_share + settings.fading_share > 0
        self.register_buffer("class_share", torch.tensor(1.0), persistent=fades)  # they matter now
        self.loss = LOSSES[settings.loss]

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        s = self.settings
        self.class_share.fill_(self._class_share(progress.fraction))
        fakes = self.generate(batch.labels, batch.seeds)
        penalised = s.r1 + s.r2 > 0 and progress.step % s.penalty_interval_steps == 0
        loss, notes, real, fake = self._discriminator_turn(batch, fakes.detach(), penalised)
        yield Update("discriminator", loss, notes)

        yield Update("generator", self._generator_turn(batch, fakes, real))

        if s.strength.adaptive:
            verdicts = self.loss.verdicts(real, fake)
            new = adapted(self.strength, verdicts, s.strength.target, s.strength.pace_images)
            self.strength.copy_(new)

    def generate(self, labels: Labels | None, seeds: Seeds) -> Images:
        images: Images = self.generator(self.latents(seeds), self._told(labels)).float()
        return images

    def latents(self, seeds: Seeds) -> Float[Tensor, "batch latents"]:
        return noise(seeds, self.settings.latents, stream="latents")

    def blend(self, latents: Float[Tensor, "batch latents"], shares: Shares | None) -> Images:
        told = None if shares is None else shares * self.class_share
        images: Images = self.generator(latents, told).float()
        return images

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        return self.generate(batch.labels, batch.seeds)

    def complete_from(self) -> float:
        """Half way through what is left once classes have come in, where there are any."""
        told = self.settings.unconditional_share + self.settings.fading_share
        return (1 + told) / 2 if told and self.spec.classes else 0.0

    def compilable(self) -> list[str]:
        """Compiled code cannot be differentiated twice, as penalties ask of the discriminator."""
        penalised = self.settings.r1 + self.settings.r2 > 0
        return ["generator"] if penalised else ["generator", "discriminator"]

    def concerns(self, recent: Mapping[str, Sequence[float]]) -> Iterator[str]:
        if len(recent.get("discriminator", ())) < 100:
            return
        correct = zip(recent["real_correct"], recent["fake_correct"], strict=True)
        certain = fmean(min(pair) for pair in correct) > 0.99
        if certain and median(recent["discriminator"]) < 0.05:
            yield (
                "the discriminator tells every picture apart, so the generator learns nothing: "
                "raise model.r1 and model.r2 tenfold, or halve the discriminator's learning rate"
            )

    def _discriminator_turn(
        self, batch: Batch, fakes: Images, penalised: bool
    ) -> tuple[Scalar, dict[str, Scalar], Scores, Scores]:
        """Its loss, notes on it, and its scores of the real and the generated pictures."""
        s = self.settings
        seen_real = self._seen(batch.images, batch, "real").detach().requires_grad_(penalised)
        seen_fake = self._seen(fakes, batch, "fake").detach().requires_grad_(penalised)
        # Second derivatives in half precision are mostly rounding, so penalised steps are exact.
        kind = fakes.device.type
        with torch.autocast(kind, enabled=torch.is_autocast_enabled(kind) and not penalised):
            told = self._told(batch.labels)
            real = self.discriminator(seen_real, told).float()
            fake = self.discriminator(seen_fake, told).float()
            loss = self.loss.discriminator(real, fake)
            notes = {
                "real_correct": self.loss.real_correct(real, fake),
                "fake_correct": self.loss.fake_correct(real, fake),
                "augmentation_strength": self.strength.clone(),
            }
            if penalised:
                notes["r1"] = squared_gradient(real, seen_real)
                notes["r2"] = squared_gradient(fake, seen_fake)
                weighted = (s.r1 * notes["r1"] + s.r2 * notes["r2"]) / 2
                loss = loss + s.penalty_interval_steps * weighted
        notes = {name: note.detach() for name, note in notes.items()}
        return loss, notes, real.detach(), fake.detach()

    def _generator_turn(self, batch: Batch, fakes: Images, real: Scores) -> Scalar:
        """`real`: scores from before the discriminator moved; they only weigh the gradient."""
        seen = self._seen(fakes, batch, "again")
        scores = self.discriminator(seen, self._told(batch.labels)).float()
        return self.loss.generator(real, scores)

    def _class_share(self, done: float) -> float:
        """From 0 to 1 over the share of training in which classes come to matter."""
        s = self.settings
        if done < s.unconditional_share:
            return 0.0
        return min(1.0, (done - s.unconditional_share) / s.fading_share) if s.fading_share else 1.0

    def _told(self, labels: Labels | None) -> Labels | Shares | None:
        """What both players are told of the classes: less than all while these come in."""
        if labels is None or not self.settings.unconditional_share + self.settings.fading_share:
            return labels
        shares = self.shares(labels)
        return None if shares is None else shares * self.class_share

    def _seen(self, images: Images, batch: Batch, stream: str) -> Images:
        """What the discriminator sees of pictures."""
        return augment(images, batch.seeds, self.strength, self.settings.augmentation, stream)


family = Gan
