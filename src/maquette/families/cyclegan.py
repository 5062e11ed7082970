"""CycleGAN: translates between two domains without paired examples (Zhu et al. 2017).

Two translators, a_to_b and b_to_a, and a discriminator for each domain. Notable: translators may
start at the identity (the default), a discriminator may have two heads with two objectives, and the
weights served are averages over training.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from maquette.core.family import Progress, Translates, Update
from maquette.core.images import Batch, Images, ImageSpec, Scalar
from maquette.networks.patches import PatchScores, check_size
from maquette.networks.translator_settings import JudgeSettings, TranslatorSettings
from maquette.objectives.adversarial import LOSSES
from maquette.objectives.augmentation import AugmentationSettings
from maquette.objectives.dual import discriminator_loss, generator_loss
from maquette.objectives.memory import ImageMemory
from maquette.objectives.patch_scores import patch_scores

Heads = Literal[1, 2]


class DiscriminatorSettings(JudgeSettings):
    """Who judges the translations of each domain."""

    heads_a: Heads = 1
    """Heads of the discriminator of the first domain; 2 adds an objective."""
    heads_b: Heads = 1
    """Heads of the discriminator of the second domain."""
    memory: int = Field(default=50, ge=0, le=1000)
    """Past translations of each domain that it is reminded of."""


class CycleGanSettings(TranslatorSettings):
    """Networks and objectives of a CycleGAN."""

    loss: Literal["least_squares", "hinge", "bce"] = "least_squares"
    """The game against a discriminator of one head; two heads play hinge and bce."""
    cycle: float = Field(default=10.0, ge=0)
    """Weight of coming back to where one started (lambda of equation 3)."""
    identity: float = Field(default=5.0, ge=0)
    """Weight of leaving a picture of the target domain as it is (section 5.2)."""
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """Who judges."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """What discriminators see of a picture."""
    strength: float = Field(default=0.0, ge=0, le=1)
    """Probability of each augmentation; few pictures (60) want 0.5 and more."""


class CycleGan(Translates):
    """Players: `translators`, which move first, and `discriminators`."""

    Settings = CycleGanSettings
    settings: CycleGanSettings
    strength: Tensor

    def __init__(self, settings: CycleGanSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        check_size(spec, settings.discriminator.halvings)
        translators = {way: settings.build_translator(spec.channels) for way in self.directions}
        for translator in translators.values():
            translator.begin()
        self.translators = nn.ModuleDict(translators)
        judge = settings.discriminator
        self.discriminators = nn.ModuleDict(
            {
                domain: judge.build(spec.channels, heads)
                for domain, heads in (("a", judge.heads_a), ("b", judge.heads_b))
            }
        )
        self.memories = nn.ModuleDict(
            {domain: ImageMemory(judge.memory, spec.shape) for domain in ("a", "b")}
        )
        self.register_buffer("strength", torch.tensor(settings.strength))
        self.loss = LOSSES[settings.loss]

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:  # noqa: ARG002
        assert batch.partners is not None
        real = {"a": batch.images, "b": batch.partners}
        fake, loss, notes = self._translators_turn(real, batch)
        yield Update("translators", loss, notes)

        past = {domain: self._past(domain, fake[domain], batch) for domain in fake}
        yield Update("discriminators", self._discriminators_turn(real, past, batch))

    def translate(self, images: Images, direction: str) -> Images:
        translated: Images = self.translators[direction](images).float()
        return translated

    def compilable(self) -> Iterable[str]:
        """The networks: the players only hold them."""
        for name, player in self.players().items():
            yield from (f"{name}.{network}" for network, _ in player.named_children())

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        """Each picture beside its translation: the first domain's, then the second's."""
        assert batch.partners is not None
        half = (len(batch) + 1) // 2
        a, b = batch.images[: (half + 1) // 2], batch.partners[: half // 2]
        pairs = [(a, self.translate(a, "a_to_b")), (b, self.translate(b, "b_to_a"))]
        return torch.cat([torch.stack(pair, 1).flatten(0, 1) for pair in pairs])

    def _translators_turn(
        self, real: dict[str, Images], batch: Batch
    ) -> tuple[dict[str, Images], Scalar, dict[str, Scalar]]:
        """The translations, what the translators minimise, and notes on it."""
        s, count = self.settings, len(batch)
        fake, again, same = {}, {}, {}
        for source, target in (("a", "b"), ("b", "a")):
            # No translator looks across a batch, so both kinds share a pass.
            both = [real[source], real[target]] if s.identity else [real[source]]
            made = self.translate(torch.cat(both), f"{source}_to_{target}")
            fake[target], same[target] = made[:count], made[count:]
        for source, target in (("a", "b"), ("b", "a")):
            again[source] = self.translate(fake[target], f"{target}_to_{source}")
        notes = {f"cycle_{d}": (again[d] - real[d]).abs().mean() for d in real}
        fooling = {
            d: generator_loss(self._scores(d, fake[d], batch, "fooling"), self.loss) for d in real
        }
        loss = fooling["a"] + fooling["b"] + s.cycle * (notes["cycle_a"] + notes["cycle_b"])
        if s.identity:
            notes |= {f"identity_{d}": (same[d] - real[d]).abs().mean() for d in real}
            loss = loss + s.identity * (notes["identity_a"] + notes["identity_b"])
        return fake, loss, {name: note.detach() for name, note in notes.items()}

    def _discriminators_turn(
        self, real: dict[str, Images], past: dict[str, Images], batch: Batch
    ) -> Scalar:
        losses = [
            discriminator_loss(
                self._scores(d, real[d], batch, "real"),
                self._scores(d, past[d], batch, "fake"),
                self.loss,
            )
            for d in ("a", "b")
        ]
        return losses[0] + losses[1]

    def _past(self, domain: str, fake: Images, batch: Batch) -> Images:
        memory = self.memories[domain]
        assert isinstance(memory, ImageMemory)
        return memory.exchange(fake, batch.seeds, f"memory {domain}")

    def _scores(self, domain: str, images: Images, batch: Batch, stream: str) -> list[PatchScores]:
        """What a discriminator says of pictures, changed at random as all that it sees."""
        judge, s = self.discriminators[domain], self.settings
        strength, stream = self.strength if s.strength else None, f"{stream} {domain}"
        return patch_scores(judge, images, batch.seeds, strength, s.augmentation, stream)


family = CycleGan
