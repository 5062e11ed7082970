"""How pictures are made out of noise, as settings of every family that does."""

from pydantic import Field, model_validator

from maquette.core.devices import Precision
from maquette.noising.samplers import SamplerName
from maquette.noising.settings import NoiseSettings, noise_schedule


class SamplingSettings(NoiseSettings):
    """Noise, and the ways back from it."""

    label_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of pictures learnt from without their class, which guidance needs."""

    guidance: float = Field(default=1.0, ge=0, le=20)
    """How strongly pictures are made to look like their class: 1 as learnt, 0 not at all. Jumps
    learn it (`jumping_share`): for them it cannot be changed afterwards."""

    sampler: SamplerName = "dpm"
    """How pictures are made: ddpm (random at every step), ddim or euler (the same), heun, dpm."""

    sampling_steps: int = Field(default=20, ge=1, le=10_000)
    """Steps from noise to a picture; the network is asked once in each, twice by heun."""

    sampling_precision: Precision = "auto"
    """Of the network while it makes pictures: fp32, bf16, or auto for bf16 where the machine
    multiplies in it. In bf16 a seed's picture may be another by a level or two of 255 on another
    machine, or alone instead of among others."""

    jumping_share: float = Field(default=0.0, ge=0, lt=1)
    """Last share of training that also learns to jump from noise to pictures in 1, 2, 4 or 8 steps,
    which `sampling_steps` can then be set to; 0 learns no jumps."""

    jumping_pictures: float = Field(default=0.25, gt=0, le=1)
    """Share of the pictures that learn a jump then."""

    @model_validator(mode="after")
    def _sampling_can_begin(self) -> "SamplingSettings":
        noise_schedule(self).path(self.sampling_steps)
        return self

    @model_validator(mode="after")
    def _guidance_is_learnt(self) -> "SamplingSettings":
        if self.guidance != 1 and not self.label_dropout:
            raise ValueError(
                f"guidance {self.guidance:g} compares with pictures of no class, which are not "
                "learnt while label_dropout is 0: raise that (0.1 is usual), or set guidance to 1"
            )
        return self
