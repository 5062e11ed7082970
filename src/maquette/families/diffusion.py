"""Diffusion: a network that takes noise off pictures, and makes pictures out of nothing but noise.

One family for all of it: noise schedules (linear, cosine, sigmoid, EDM, rectified flow), what the
network predicts (noise, v, the picture, EDM's mixture, the flow) and samplers combine freely,
because all are written in the same coordinates (noising/levels.py). Conditional on the class
whenever the dataset has classes, with classifier-free guidance (Ho and Salimans 2022).
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from maquette.core.errors import SettingsError
from maquette.core.family import Progress, Update, Varies
from maquette.core.images import Batch, Images, ImageSpec, Kept, Labels, Seeds
from maquette.core.randomness import noise, uniform
from maquette.core.settings import Settings as AnySettings
from maquette.networks.unet import Unet, UnetSettings
from maquette.networks.unet_folder import begin_with
from maquette.noising.levels import blended, radius
from maquette.noising.samplers import SAMPLERS, Denoiser, SamplerName
from maquette.noising.scheduler_folder import check_scheduler
from maquette.noising.settings import NoiseSettings, noise_schedule, teaching_schedule
from maquette.noising.targets import TARGETS


class DiffusionSettings(NoiseSettings, UnetSettings):
    """Noise, network and sampling of a diffusion model."""

    label_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of pictures learnt from without their class, which guidance needs."""

    guidance: float = Field(default=1.0, ge=0, le=20)
    """How strongly pictures are made to look like their class: 1 as learnt, 0 not at all."""

    sampler: SamplerName = "dpm"
    """How pictures are made: ddpm (random at every step), ddim or euler (the same), heun, dpm."""

    sampling_steps: int = Field(default=20, ge=1, le=10_000)
    """Steps from noise to a picture; the network is asked once in each, twice by heun."""

    start_from: str | None = None
    """Folder of a diffusers pipeline (DDPMPipeline, DDIMPipeline) whose network to begin with; null
    begins at random. Width, stages, schedule and target have to be those of the folder."""

    @model_validator(mode="after")
    def _sampling_can_begin(self) -> "DiffusionSettings":
        noise_schedule(self).path(self.sampling_steps)
        return self


class Diffusion(Varies):
    """One player, `denoiser`."""

    Settings = DiffusionSettings
    settings: DiffusionSettings

    def __init__(self, settings: DiffusionSettings, spec: ImageSpec):
        super().__init__(settings, spec)
        self.denoiser = Unet(spec, settings)
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

    def training_step(self, batch: Batch, progress: Progress) -> Iterator[Update]:  # noqa: ARG002
        """The squared error of the network's answer (Karras et al. 2022, equation 8)."""
        shares = self.schedule.shares(uniform(batch.seeds, stream="level"))
        added = noise(batch.seeds, *self.spec.shape, stream="noise")
        y = blended(batch.images, added, shares)
        each = shares[:, None, None, None]
        answer = self._answer(y, shares, self._sometimes_hidden(batch)).float()
        wanted = self.target.wanted(batch.images, added, each)
        errors = (answer - wanted).square().mean((1, 2, 3))
        weights = self.target.weight(shares, self.settings.weighting)
        noisy = (shares > 0.5).float()
        notes = {
            "error_of_noisy": (errors.detach() * noisy).sum() / noisy.sum().clamp(min=1),
            "error_of_clear": (errors.detach() * (1 - noisy)).sum()
            / (1 - noisy).sum().clamp(min=1),
        }
        yield Update("denoiser", (weights * errors).mean(), notes)

    def generate(self, labels: Labels | None, seeds: Seeds) -> Images:
        path = self.schedule.path(self.settings.sampling_steps)
        start = float(radius(path[0])) * noise(seeds, *self.spec.shape, stream="latents")
        sample = SAMPLERS[self.settings.sampler]
        return sample(self._denoiser(labels), start, path.tolist(), seeds).clamp(-1, 1)

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
        steps = self.settings.sampling_steps
        path = self.schedule.path(steps)[steps - round(strength * steps) :]
        added = noise(seeds, *self.spec.shape, stream="latents")
        shares = torch.full((len(images),), float(path[0]), device=images.device)
        denoise = self._denoiser(self._of_no_class(seeds) if labels is None else labels)

        def keeping(y: Images, share: float) -> Images:
            picture = denoise(y, share)
            return picture if kept is None else torch.lerp(picture, images, kept)

        start = blended(images, added, shares)
        return SAMPLERS[self.settings.sampler](keeping, start, path.tolist(), seeds).clamp(-1, 1)

    def denoised(self, y: Images, share: float, labels: Labels | None) -> Images:
        """The expected picture, guided towards its class: D_0 + guidance (D_class - D_0)
        (Ho and Salimans 2022, equation 6)."""
        weight = self.settings.guidance
        shares = torch.full((len(y),), share, dtype=torch.float64, device=y.device)
        if weight == 1.0 or labels is None:
            return self._picture(y, shares, labels)
        unknown = torch.full_like(labels, self.denoiser.nothing)
        if weight == 0.0:
            return self._picture(y, shares, unknown)
        twice = torch.cat([y, y]), torch.cat([shares, shares]), torch.cat([unknown, labels])
        without, within = self._picture(*twice).chunk(2)
        return torch.lerp(without, within, weight)

    @torch.no_grad()
    def preview(self, batch: Batch) -> Images:
        return self.generate(batch.labels, batch.seeds)

    def _picture(self, y: Images, shares: Float[Tensor, " batch"], labels: Labels | None) -> Images:
        """The expected picture; values within [-1, 1], as pictures are."""
        each = shares[:, None, None, None]
        answer = self._answer(y, shares, labels).float()
        skip, out = self.target.skip(each).float(), self.target.out(each).float()
        return (skip * y + out * answer).clamp(-1, 1)

    def _answer(self, y: Images, shares: Float[Tensor, " batch"], labels: Labels | None) -> Images:
        scale = self.target.scale(shares).float()[:, None, None, None]
        answer: Images = self.denoiser(scale * y, self.schedule.clock(shares).float(), labels)
        return answer

    def _denoiser(self, labels: Labels | None) -> Denoiser:
        return lambda y, share: self.denoised(y, share, labels)

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
