"""Diffusion: a network that takes noise off pictures, and makes pictures out of nothing but noise.

One family for all of it: noise schedules (linear, cosine, sigmoid, EDM, rectified flow), what the
network predicts (noise, v, the picture, EDM's mixture, the flow) and samplers combine freely,
because all are written in the same coordinates (noising/levels.py). Conditional on the class
whenever the dataset has classes, with classifier-free guidance (Ho and Salimans 2022).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from maquette.core.devices import start_engine
from maquette.core.errors import SettingsError
from maquette.core.family import Progress, Update, Varies
from maquette.core.images import Batch, Images, ImageSpec, Kept, Labels, Seeds
from maquette.core.randomness import noise, uniform
from maquette.core.settings import Settings as AnySettings
from maquette.networks.unet import Unet, UnetSettings
from maquette.networks.unet_folder import begin_with
from maquette.noising.error_notes import error_notes
from maquette.noising.jumps import (
    KINDS,
    STEPS,
    Jumps,
    Kinds,
    drawn_jumps,
    joined,
    jump_path,
    jumped,
    kind_of,
)
from maquette.noising.levels import blended, level, radius, shared_by_all
from maquette.noising.samplers import SAMPLERS, Denoiser, Sampler, euler
from maquette.noising.sampling_settings import SamplingSettings
from maquette.noising.scheduler_folder import check_scheduler
from maquette.noising.settings import teaching_schedule
from maquette.noising.targets import TARGETS
from maquette.objectives.told_changes import TOLD, Told, changed


class DiffusionSettings(SamplingSettings, UnetSettings):
    """Noise, network and sampling of a diffusion model."""

    changes: float = Field(default=0.0, ge=0, le=1)
    """Probability of each kind of change to a picture that is learnt from: mirrored, scaled,
    turned, stretched, moved. The network is told, so that none shows in what it makes; for sets so
    small that they are learnt by heart. 0.12 in the paper (Karras et al. 2022)."""

    start_from: str | None = None
    """Folder of a diffusers pipeline (DDPMPipeline, DDIMPipeline) whose network to begin with; null
    begins at random. Width, stages, schedule and target have to be those of the folder."""


class Diffusion(Varies):
    """One player, `denoiser`."""

    Settings = DiffusionSettings
    settings: DiffusionSettings

    def __init__(self, settings: DiffusionSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        kinds, told = KINDS if settings.jumping_share else 0, TOLD if settings.changes else 0
        self.denoiser = Unet(spec, settings, kinds, told)
        self.denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.schedule = teaching_schedule(settings)
        self.target = TARGETS[settings.target]
        if settings.start_from is not None:
            folder = Path(settings.start_from)
            check_scheduler(folder, settings)
            begin_with(self.denoiser, folder, spec, settings)

    @classmethod
    def for_saved_weights(cls, settings: AnySettings, spec: ImageSpec) -> "Diffusion":
        assert isinstance(settings, DiffusionSettings)
        return cls(settings.model_copy(update={"start_from": None}), spec)

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:
        """The squared error of the network's answer (Karras et al. 2022, equation 8). Towards the
        end some pictures learn where two jumps of the network, or the ways it knows, lead."""
        shares = self.schedule.shares(uniform(batch.seeds, stream="level"))
        added = noise(batch.seeds, *self.spec.shape, stream="noise")
        labels, jumps = self._sometimes_hidden(batch), self._jumps(batch, progress)
        if jumps is not None:
            shares = torch.where(jumps.chosen, jumps.starts, shares)
        images, told = self._changed(batch, jumps)
        y = blended(images, added, shares)
        each = shares[:, None, None, None]
        wanted = self.target.wanted(images, added, each)
        if jumps is not None:
            rows = jumps.chosen.nonzero()[:, 0]
            aims = self._aims(y[rows], jumps.at(rows), None if labels is None else labels[rows])
            wanted[rows] = self.target.answer(aims, y[rows], each[rows])
        kinds = None if jumps is None else jumps.kinds
        answer = self._answer(y, shares, labels, kinds, told).float()
        errors = (answer - wanted).square().mean((1, 2, 3))
        weights = self.target.weight(shares, self.settings.weighting)
        if kinds is not None:  # a jump from much noise matters as much as any
            weights = torch.where(kinds > 0, 1.0, weights)
        yield Update(
            "denoiser", (weights * errors).mean(), error_notes(errors.detach(), shares, kinds)
        )

    def generate(self, labels: Labels | None, seeds: Seeds) -> Images:
        path, denoise, sample = self._way(labels)
        start = float(radius(level(path[0]))) * noise(seeds, *self.spec.shape, stream="latents")
        with self._quickly(seeds.device):
            return sample(denoise, start, path, seeds).clamp(-1, 1)

    def vary(
        self,
        images: Images,
        labels: Labels | None,
        seeds: Seeds,
        strength: float,
        kept: Kept | None = None,
    ) -> Images:
        """Noise is added to where `strength` of the sampling steps are left, and taken off again
        (Meng et al. 2022, "SDEdit"). What is kept is put into every expected picture, so that it
        carries the right share of its own noise all the way (Song et al. 2021b, appendix I.2)."""
        whole, denoise, sample = self._way(self._of_no_class(seeds) if labels is None else labels)
        steps = len(whole) - 1
        left = max(round(strength * steps), 1 if strength else 0)  # of few steps, one at least
        path = whole[steps - left :]
        added = noise(seeds, *self.spec.shape, stream="latents")
        shares = torch.full((len(images),), path[0], device=images.device)

        def keeping(y: Images, share: float) -> Images:
            picture = denoise(y, share)
            return picture if kept is None else torch.lerp(picture, images, kept)

        start = blended(images, added, shares)
        with self._quickly(seeds.device):
            return sample(keeping, start, path, seeds).clamp(-1, 1)

    def denoised(self, y: Images, share: float, labels: Labels | None) -> Images:
        """The expected picture, guided towards its class: D_0 + guidance (D_class - D_0)
        (Ho and Salimans 2022, equation 6)."""
        return self._guided(y, shared_by_all(share, y), labels)

    def _guided(self, y: Images, shares: Float[Tensor, " batch"], labels: Labels | None) -> Images:
        weight = self.settings.guidance
        if weight == 1.0 or labels is None:
            return self._picture(y, shares, labels)
        unknown = torch.full_like(labels, self.denoiser.nothing)
        if weight == 0.0:
            return self._picture(y, shares, unknown)
        twice = torch.cat([y, y]), torch.cat([shares, shares]), torch.cat([unknown, labels])
        without, within = self._picture(*twice).chunk(2)
        return torch.lerp(without, within, weight)

    def complete_from(self) -> float:
        """Half way through learning to jump."""
        return 1 - self.settings.jumping_share / 2 if self.settings.jumping_share else 0.0

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        return self.generate(batch.labels, batch.seeds)

    def _picture(
        self,
        y: Images,
        shares: Float[Tensor, " batch"],
        labels: Labels | None,
        kinds: Kinds | None = None,
    ) -> Images:
        """The expected picture, or the aim of a jump; values within [-1, 1], as pictures are."""
        each = shares[:, None, None, None]
        answer = self._answer(y, shares, labels, kinds).float()
        skip, out = self.target.skip(each).float(), self.target.out(each).float()
        return (skip * y + out * answer).clamp(-1, 1)

    def _answer(
        self,
        y: Images,
        shares: Float[Tensor, " batch"],
        labels: Labels | None,
        kinds: Kinds | None,
        told: Told | None = None,
    ) -> Images:
        scale = self.target.scale(shares).float()[:, None, None, None]
        clock = self.schedule.clock(shares).float()
        answer: Images = self.denoiser(scale * y, clock, labels, kinds, told)
        return answer

    def _way(self, labels: Labels | None) -> tuple[list[float], Denoiser, Sampler]:
        """The levels to visit, what to ask the network at each, and how to go from one to the next:
        by jumps where it has learnt them for this number of steps."""
        steps = self.settings.sampling_steps
        if not (steps in STEPS and self.denoiser.has_learnt_jump(kind_of(steps))):
            path: list[float] = self.schedule.path(steps).tolist()
            return path, self._asking(labels), SAMPLERS[self.settings.sampler]
        return jump_path(self.schedule, steps), self._asking(labels, kind_of(steps)), euler

    def _quickly(self, device: torch.device) -> AbstractContextManager[None]:
        return start_engine(str(device), self.settings.sampling_precision).autocast()

    def _asking(self, labels: Labels | None, kind: int = 0) -> Denoiser:
        def ask(y: Images, share: float) -> Images:
            if not kind:
                return self.denoised(y, share, labels)
            shares = shared_by_all(share, y)
            return self._picture(y, shares, labels, torch.full_like(shares, kind, dtype=torch.long))

        return ask

    def _changed(self, batch: Batch, jumps: Jumps | None) -> tuple[Images, Told | None]:
        """The pictures to learn from, some changed, and what to tell of it. Those that learn a jump
        stay: what they learn from is asked about pictures as they are."""
        if not self.settings.changes:
            return batch.images, None
        images, told = changed(batch.images, batch.seeds, self.settings.changes, "changes")
        if jumps is None:
            return images, told
        stay = jumps.chosen[:, None]
        return torch.where(stay[..., None, None], batch.images, images), told.masked_fill(stay, 0.0)

    # Learning to jump

    def _jumps(self, batch: Batch, progress: Progress) -> Jumps | None:
        """None while the network still learns to take noise off."""
        if progress.fraction < 1 - self.settings.jumping_share:
            return None
        return drawn_jumps(self.schedule, batch.seeds, self.settings.jumping_pictures)

    @torch.no_grad()
    def _aims(self, y: Images, jumps: Jumps, labels: Labels | None) -> Images:
        """Where jumps of half the length lead, one after the other."""
        first = self._aim(y, jumps.starts, labels, jumps.kinds - 1)
        half_way = jumped(first, y, jumps.starts, jumps.middles)
        return joined(first, self._aim(half_way, jumps.middles, labels, jumps.kinds - 1), jumps)

    def _aim(
        self, y: Images, shares: Float[Tensor, " batch"], labels: Labels | None, kinds: Kinds
    ) -> Images:
        """Of jumps; half of the shortest is a guided step to the expected picture."""
        aims = self._picture(y, shares, labels, kinds)
        if self.settings.guidance != 1.0 and labels is not None:
            rows = (kinds == 0).nonzero()[:, 0]
            aims[rows] = self._guided(y[rows], shares[rows], labels[rows])
        return aims

    def _of_no_class(self, seeds: Seeds) -> Labels | None:
        """The label that says nothing, for each; SettingsError where it was never learnt."""
        if not self.spec.classes:
            return None
        if not self.settings.label_dropout:
            raise SettingsError(
                "this model knows no pictures without a class (model.label_dropout is 0): name one"
            )
        return torch.full_like(seeds, self.denoiser.nothing)

    def _sometimes_hidden(self, batch: Batch) -> Labels | None:
        """The labels, some replaced by the one that says nothing: each picture's seed decides."""
        if batch.labels is None:
            return None
        hidden = uniform(batch.seeds, stream="label") < self.settings.label_dropout
        return batch.labels.masked_fill(hidden, self.denoiser.nothing)


family = Diffusion
