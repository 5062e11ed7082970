"""ArtGAN: paintings by style, genre or artist (Tan et al. 2017, arXiv 1702.03410).

The discriminator names the class of a picture, with "generated" as one class more, and so tells the
generator not only that a picture fails but as what. The decoder also learns to redraw real pictures
from the encoder's features, which pictures without a label (-1) can teach it, too. What those who
built it again found helpful are settings: pre-training, dropout, and a second turn for the
generator while the discriminator is too strong.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from maquette.core.family import Blends, Progress, Update
from maquette.core.images import Batch, Images, ImageSpec, Labels, Scalar, Seeds, Shares
from maquette.core.randomness import noise, uniform
from maquette.core.settings import Settings as AnySettings
from maquette.networks.artgan import Discriminator, Features, Generator
from maquette.objectives.augmentation import AugmentationSettings, augment
from maquette.objectives.categorical import (
    Answering,
    Answers,
    called_generated,
    cross_entropy,
    squared_error,
)

MEMORY = 0.9  # share of the discriminator's accuracy so far that a step leaves


class ArtGanSettings(AnySettings):
    """Networks, game and the findings of ArtGAN's re-implementers."""

    width: int = Field(default=128, ge=1, le=1024)
    """Channels of the finest stage: 128 in the paper, for a GPU; 32 suits a CPU."""

    latents: int = Field(default=100, ge=1, le=4096)
    """Random numbers each picture is made from, beside its class."""

    class_scale: float = Field(default=1.0, gt=0, le=100)
    """What a class counts beside each latent: 1 in the paper, where it is lost among a hundred of
    them; the square root of their number weighs as much as all of them together."""

    answers: Answering = "sigmoid"
    """sigmoid asks about each category by itself, as the paper does; softmax lets them exclude each
    other."""

    reconstruction: float = Field(default=1.0, ge=0)
    """Weight of the squared error of redrawn pictures in the generator's loss."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features left out in encoder and decoder, drawn anew in every step."""

    augmentation: AugmentationSettings = AugmentationSettings()
    """What may be done to pictures, real and generated, before the discriminator sees them."""

    strength: float = Field(default=0.0, ge=0, le=1)
    """Probability of each of these changes. Real pictures are redrawn as they were changed."""

    pretraining_epochs: float = Field(default=0.0, ge=0)
    """Passes over the dataset in which the discriminator alone learns, from real pictures."""

    double_turns_above: float = Field(default=1.0, ge=0, le=1)
    """The generator takes a second turn while the discriminator tells more than this share of the
    real and the generated pictures apart; 1 never."""


class ArtGan(Blends):
    """Two players, `generator` (zNet + decoder) and `discriminator` (encoder + clsNet)."""

    Settings = ArtGanSettings
    made_for_classes = True
    settings: ArtGanSettings
    accuracy: Tensor

    def __init__(self, settings: ArtGanSettings, spec: ImageSpec):
        """Without classes all real pictures are one category, and it is an ordinary GAN."""
        super().__init__(settings, spec)
        s = settings
        self.generated = max(1, len(spec.classes))  # the number of this category
        self.generator = Generator(spec, s.width, s.latents, s.dropout)
        self.discriminator = Discriminator(spec, s.width, self.generated + 1, s.dropout)
        self.register_buffer("accuracy", torch.zeros(()))

    @classmethod
    def learns_unlabelled(cls, settings: AnySettings) -> bool:
        """By redrawing them, if it learns that."""
        assert isinstance(settings, ArtGanSettings)
        return settings.reconstruction > 0

    @classmethod
    def objection(cls, settings: AnySettings, last: Progress, mirrored: bool) -> str | None:  # noqa: ARG003
        assert isinstance(settings, ArtGanSettings)
        if last.epochs >= settings.pretraining_epochs:
            return None
        return (
            f"model.pretraining_epochs {settings.pretraining_epochs:g} takes all of the training, "
            f"whose last step begins after {last.epochs:.3g} epochs, so that the generator would "
            "learn nothing: lower it, or train longer"
        )

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        labels = batch.labels if batch.labels is not None else torch.zeros_like(batch.seeds)
        images = self._seen(batch.images, batch.seeds, "real")
        if progress.epochs < self.settings.pretraining_epochs:
            loss, notes, _features = self._of_real(images, labels)
            yield Update("discriminator", loss, notes)
            return
        twice = self._discriminator_is_too_strong()
        wanted = self._drawn_labels(batch.seeds, "")
        fakes = self._made(wanted, batch.seeds, "latents")

        real_loss, notes, features = self._of_real(images, labels)
        seen = self._seen(fakes.detach(), batch.seeds, "fake")
        fake = self.discriminator(seen).float()
        loss = real_loss + self._cross_entropy(fake, torch.full_like(wanted, self.generated))
        fake_correct = called_generated(fake).float().mean()
        notes |= {"fake_correct": fake_correct, "generator_turns": self.accuracy.new_tensor(1.0)}
        notes["generator_turns"] += twice
        yield Update("discriminator", loss, notes)

        seen = self._seen(fakes, batch.seeds, "again")
        yield self._generator_turn(seen, wanted, images, features)
        if twice:
            others = self._drawn_labels(batch.seeds, " again")
            fakes = self._made(others, batch.seeds, "latents again")
            seen = self._seen(fakes, batch.seeds, "twice")
            yield self._generator_turn(seen, others, images, features)

        now = (notes["real_correct"] + fake_correct) / 2
        self.accuracy.lerp_(now.to(self.accuracy), 1 - MEMORY)

    def generate(self, labels: Labels | None, seeds: Seeds) -> Images:
        return self._made(labels, seeds, "latents")

    def latents(self, seeds: Seeds) -> Float[Tensor, "batch latents"]:
        return noise(seeds, self.settings.latents, stream="latents")

    def blend(self, latents: Float[Tensor, "batch latents"], shares: Shares | None) -> Images:
        scaled = None if shares is None else shares * self.settings.class_scale
        images: Images = self.generator(latents, scaled).float()
        return images

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        """Of the batch's classes; of any class where a picture has no label."""
        labels = self._drawn_labels(batch.seeds, "")
        if batch.labels is not None:
            labels = torch.where(batch.labels >= 0, batch.labels, labels)
        return self.generate(labels, batch.seeds)

    def steering(self) -> list[Tensor]:
        return [self.accuracy]

    def concerns(self, recent: Mapping[str, Sequence[float]]) -> Iterator[str]:
        if len(recent.get("fake_correct", ())) < 100:
            return
        apart = [fmean(recent["real_correct"]), fmean(recent["fake_correct"])]
        if min(apart) > 0.99:
            yield (
                "the discriminator tells every picture apart, so the generator learns little: set "
                "model.double_turns_above to 0.9 or model.dropout to 0.2, or halve the "
                "discriminator's learning rate"
            )

    # The four losses

    def _of_real(
        self, images: Images, labels: Labels
    ) -> tuple[Scalar, dict[str, Scalar], Features]:
        """Cross-entropy of real pictures and their labels; notes, and the encoder's features."""
        features = self.discriminator.encoder(images)
        answers = self.discriminator.cls_net(features).float()
        of_classes = answers[:, : self.generated].argmax(1)
        labelled = (labels >= 0).float()
        right = (of_classes == labels).float().sum() / labelled.sum().clamp(min=1)
        notes = {
            "real_correct": (~called_generated(answers)).float().mean(),
            "class_correct": right,
        }
        return self._cross_entropy(answers, labels), notes, features.detach()

    def _generator_turn(
        self, fakes: Images, wanted: Labels, images: Images, features: Features
    ) -> Update:
        """Cross-entropy of generated pictures and the classes asked for, and L2 of redrawn ones.

        `fakes` and `images` as the discriminator sees them; `features`: what the encoder made of
        `images` in the discriminator's turn.
        """
        loss = self._cross_entropy(self.discriminator(fakes).float(), wanted)
        if self.settings.reconstruction == 0:
            return Update("generator", loss)
        error = squared_error(images, self.generator.redraw(features).float())
        notes = {"reconstruction": error.detach()}
        return Update("generator", loss + self.settings.reconstruction * error, notes)

    def _cross_entropy(self, answers: Answers, labels: Labels) -> Scalar:
        return cross_entropy(answers, labels, self.settings.answers)

    def _seen(self, images: Images, seeds: Seeds, stream: str) -> Images:
        """What the discriminator sees of pictures."""
        s = self.settings
        if s.strength == 0:
            return images
        strength = self.accuracy.new_tensor(s.strength)
        return augment(images, seeds, strength, s.augmentation, stream)

    # What is asked for

    def _discriminator_is_too_strong(self) -> bool:
        threshold = self.settings.double_turns_above
        return threshold < 1 and bool(self.accuracy > threshold)  # a GPU waits only if asked to

    def _drawn_labels(self, seeds: Seeds, stream: str) -> Labels:
        """A class for each picture, each as likely as any (the paper's randomly assigned ones)."""
        drawn = uniform(seeds, stream=f"class{stream}") * self.generated
        return drawn.long().clamp(max=self.generated - 1)

    def _made(self, labels: Labels | None, seeds: Seeds, stream: str) -> Images:
        latents = noise(seeds, self.settings.latents, stream=stream)
        return self.blend(latents, self.shares(labels))


family = ArtGan
