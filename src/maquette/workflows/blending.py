"""Pictures out of latents, for what goes beyond one seed: truncation, and ways between seeds."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from maquette.core.errors import RunError, SettingsError
from maquette.core.family import Blends, Generates
from maquette.core.images import Images, Labels, Seeds
from maquette.core.latents import between, truncated
from maquette.runs.folder import Run


class Blender:
    """The family that a run serves, its latents kept within `truncation` standard deviations."""

    def __init__(self, run: Run, family: Generates, truncation: float | None, lack: str):
        """RunError, saying `lack`, for a family that makes no pictures out of latents.

        SettingsError for a truncation that is not above 0.
        """
        if truncation is not None and not 0 < truncation < math.inf:
            raise SettingsError(
                f"truncation {truncation} is no number above 0: 0.7 keeps what is made typical"
            )
        if not isinstance(family, Blends):
            raise RunError(f"{run.folder} holds a {run.recipe.family}, which {lack}")
        self._family, self._truncation = family, truncation

    def pictures(self, labels: Labels | None, seeds: Seeds) -> Images:
        """One for each seed, of its class."""
        latents = self._kept_within(self._family.latents(seeds))
        return self._family.blend(latents, self._family.shares(labels))

    def way(
        self,
        labels: Int[Tensor, "2"] | None,
        seeds: Int[Tensor, "2"],
        along: Float[Tensor, "steps 1"],
    ) -> Float[Tensor, "steps channels height width"]:
        """From the first of two seeds and labels (`along` 0) to the second (1)."""
        start, end = self._family.latents(seeds)
        latents = self._kept_within(between(start, end, along))
        shares = self._family.shares(labels)
        mixed = None if shares is None else torch.lerp(shares[0], shares[1], along)
        return self._family.blend(latents, mixed)

    def _kept_within(
        self, latents: Float[Tensor, "batch latents"]
    ) -> Float[Tensor, "batch latents"]:
        return latents if self._truncation is None else truncated(latents, self._truncation)
