"""CUT: one-sided translation by contrast, half the networks of a CycleGAN (Park et al. 2020).

A translation keeps its picture's content because each of its patches must be told to come from the
same place, among others of the same picture. FastCUT is the same without the identity part and with
a heavier weight (`nce: 10`, `identity: false`).
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from maquette.core.family import Progress, Translates, Update
from maquette.core.images import Batch, Images, ImageSpec, Scalar
from maquette.networks.patches import PatchScores, check_size
from maquette.networks.translator_settings import JudgeSettings, TranslatorSettings
from maquette.objectives.adversarial import LOSSES
from maquette.objectives.augmentation import AugmentationSettings
from maquette.objectives.patch_nce import Projectors, patch_nce
from maquette.objectives.patch_scores import patch_scores


class CutSettings(TranslatorSettings):
    """Networks and objectives of CUT."""

    loss: Literal["least_squares", "hinge", "bce"] = "least_squares"
    """The game against the discriminator."""
    nce: float = Field(default=1.0, ge=0)
    """Weight of patches telling their own place (1 for CUT, 10 for FastCUT)."""
    identity: bool = True
    """Ask the same of pictures of the target domain translated to that domain (not FastCUT)."""
    patches: int = Field(default=256, ge=2, le=4096)
    """Places compared in each layer of each picture."""
    discriminator: JudgeSettings = JudgeSettings()
    """Who judges."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """What the discriminator sees of a picture."""
    strength: float = Field(default=0.0, ge=0, le=1)
    """Probability of each augmentation; few pictures (60) want 0.5 and more."""


class TranslatorPlayer(nn.Module):
    """The translator, and the projectors that describe what it sees: they learn together."""

    def __init__(self, settings: CutSettings, channels: int):
        super().__init__()
        self.network = settings.build_translator(channels)
        self.network.begin()
        self.projectors = Projectors(settings.tap_channels(channels))


class Cut(Translates):
    """Players: `discriminator`, which moves first, and `translator`."""

    Settings = CutSettings
    settings: CutSettings
    directions: ClassVar[tuple[str, ...]] = ("a_to_b",)
    strength: Tensor

    def __init__(self, settings: CutSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        check_size(spec, settings.discriminator.halvings)
        self.translator = TranslatorPlayer(settings, spec.channels)
        self.discriminator = settings.discriminator.build(spec.channels)
        self.register_buffer("strength", torch.tensor(settings.strength))
        self.loss = LOSSES[settings.loss]

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:  # noqa: ARG002
        a, b = batch.images, batch.partners
        assert b is not None
        # No translator looks across a batch, so both kinds share a pass.
        made = self.translate(torch.cat([a, b]) if self.settings.identity else a, "a_to_b")
        fake, same = made[: len(a)], made[len(a) :]
        real_scores = self._scores(b, batch, "real")
        fake_scores = self._scores(fake.detach(), batch, "fake")
        yield Update("discriminator", self.loss.discriminator(real_scores, fake_scores))

        loss, notes = self._translator_turn(batch, fake, same)
        yield Update("translator", loss, notes)

    def translate(self, images: Images, direction: str) -> Images:
        assert direction == "a_to_b"
        translated: Images = self.translator.network(images).float()
        return translated

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        """Each picture beside its translation."""
        a = batch.images[: (len(batch) + 1) // 2]
        return torch.stack([a, self.translate(a, "a_to_b")], 1).flatten(0, 1)

    def _translator_turn(
        self, batch: Batch, fake: Images, same: Images
    ) -> tuple[Scalar, dict[str, Scalar]]:
        assert batch.partners is not None
        scores = self._scores(fake, batch, "fooling")
        notes = {"nce": self._nce(batch.images, fake, batch, "content")}
        if self.settings.identity:
            notes["nce_identity"] = self._nce(batch.partners, same, batch, "identity")
        kept = torch.stack(list(notes.values())).mean()  # of both, as in the paper's equation 6
        loss = self.loss.generator(scores, scores) + self.settings.nce * kept
        return loss, {name: note.detach() for name, note in notes.items()}

    def _nce(self, images: Images, translated: Images, batch: Batch, stream: str) -> Scalar:
        described = [
            self.translator.projectors(
                self.translator.network.taps(seen), batch.seeds, self.settings.patches, stream
            )
            for seen in (translated, images)
        ]
        return patch_nce(described[0], described[1])

    def compilable(self) -> Iterable[str]:
        """The networks: the translating player only holds its own."""
        return "translator.network", "discriminator"

    def _scores(self, images: Images, batch: Batch, stream: str) -> PatchScores:
        """What the discriminator says of pictures, changed at random as all that it sees."""
        s = self.settings
        strength = self.strength if s.strength else None
        return patch_scores(
            self.discriminator, images, batch.seeds, strength, s.augmentation, stream
        )[0]


family = Cut
