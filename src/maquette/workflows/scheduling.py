"""Look at a noise schedule before training on it: how much of a picture is left, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.errors import DatasetError, SettingsError
from maquette.core.images import Pixels, to_float, to_pixels
from maquette.core.pictures import save_png
from maquette.core.randomness import noise, picture_seeds
from maquette.data.dataset import open_dataset
from maquette.data.sources.digits import digits_source
from maquette.noising.checking import complaint, curve
from maquette.noising.levels import preserving, signal_left
from maquette.noising.settings import NUMBERED, NoiseSettings, noise_schedule
from maquette.recipe import Recipe, parse_recipe, read_recipe, to_yaml
from maquette.workflows.scheduling_picture import strip_and_curve

TIMES = 10


@dataclass(frozen=True)
class Time:
    """One of the times at which the picture is shown."""

    at: str  # "step 112", or "11 %" of what is learnt
    signal_left: float  # share of the variance, DDPM's alpha-bar
    signal_to_noise: float  # ratio of the variances


@dataclass(frozen=True)
class Scheduled:
    """What a schedule does to a picture."""

    name: str
    times: tuple[Time, ...]
    complaint: str | None  # what is wrong and the setting that mends it; None if all is well
    picture: Path  # a real picture at these times, and the curve


def schedule(
    recipe: str | Path | Recipe,
    data: str | Path | None = None,
    out: str | Path = "schedule.png",
    *,
    overrides: Sequence[str] = (),
) -> Scheduled:
    """Draw the noise schedule of a recipe, and say what is wrong with it as training would.

    The picture is the first of a dataset folder, or a digit that comes with Maquette. Raises
    SettingsError when the recipe has no noise schedule or `out` cannot be written, DatasetError
    when the folder holds no dataset.
    """
    if isinstance(recipe, Recipe):
        wanted = parse_recipe(to_yaml(recipe), overrides, source=recipe.name)
    else:
        wanted = read_recipe(str(recipe), overrides)
    settings = wanted.model
    if not isinstance(settings, NoiseSettings):
        raise SettingsError(
            f"{wanted.name} is a {wanted.family}, which learns without a noise schedule: name a "
            "recipe of the family diffusion"
        )
    pictures = _first_picture(data).expand(TIMES, -1, -1, -1)
    planned = noise_schedule(settings)
    shares = planned.shares(torch.linspace(0, 1, TIMES, dtype=torch.float64))
    drawn = strip_and_curve(_noised(pictures, shares), curve(planned), signal_left(shares))
    try:
        save_png(drawn, Path(out))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"{out} cannot be written ({reason}): choose another --out") from error
    found = complaint(planned, settings.schedule)
    return Scheduled(settings.schedule, _times(settings, shares), found, Path(out))


def _first_picture(data: str | Path | None) -> Pixels:
    """(1, C, H, W)."""
    if data is not None:
        dataset = open_dataset(data)
        if dataset.spec.channels not in (1, 3):
            raise DatasetError(
                f"the dataset {dataset.name} has {dataset.spec.channels} channels, which cannot be "
                "shown: leave --data away to see a digit instead"
            )
        return dataset.pictures(torch.zeros(1, dtype=torch.long))
    digit = next(digits_source().items()).content
    assert isinstance(digit, np.ndarray)
    return torch.from_numpy(digit).permute(2, 0, 1)[None]


def _noised(pictures: Pixels, shares: Float[Tensor, " batch"]) -> Pixels:
    """Each picture at its own time, all under the same noise, scaled to preserve variance."""
    images = to_float(pictures)
    added = noise(picture_seeds(1, "schedule"), *images.shape[1:], stream="noise")
    a, b = (part.float()[:, None, None, None] for part in preserving(shares))
    return to_pixels(a * images + b * added)


def _times(settings: NoiseSettings, shares: Float[Tensor, " times"]) -> tuple[Time, ...]:
    found = []
    for index, share in enumerate(shares):
        along = index / (TIMES - 1)
        at = f"{along:.0%}"
        if settings.schedule in NUMBERED:
            at = f"step {min(int(along * settings.steps) + 1, settings.steps):,}"
        left = float(signal_left(share))
        found.append(Time(at, left, left / (1 - left)))
    return tuple(found)
