"""Asking a model about many pictures: batch by batch, on its device, and the answer on the CPU."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.core.family import Classifies, Family, Generates, Translates
from maquette.core.images import Labels, Pixels, Seeds, to_float, to_pixels

Told = Callable[[int, int], Any]  # pictures done, pictures in all


def _nobody(_done: int, _total: int) -> None:
    """Tells nobody."""


@torch.no_grad()
def generated(
    family: Generates, labels: Labels | None, seeds: Seeds, batch: int, told: Told = _nobody
) -> Pixels:
    """One picture for each seed."""
    made, device = [], _device(family)
    for part in _parts(len(seeds), batch, told):
        chosen = None if labels is None else labels[part].to(device)
        made.append(to_pixels(family.generate(chosen, seeds[part].to(device))).cpu())
    return torch.cat(made)


@torch.no_grad()
def translated(
    family: Translates, pixels: Pixels, direction: str, batch: int, told: Told = _nobody
) -> Pixels:
    """The translation of each picture."""
    made, device = [], _device(family)
    for part in _parts(len(pixels), batch, told):
        images = to_float(pixels[part].to(device))
        made.append(to_pixels(family.translate(images, direction)).cpu())
    return torch.cat(made)


@torch.no_grad()
def logits_of(
    family: Classifies, pixels: Pixels, batch: int, told: Told = _nobody
) -> Float[Tensor, "batch classes"]:
    """Of each picture, not divided by the temperature; float32."""
    found, device = [], _device(family)
    for part in _parts(len(pixels), batch, told):
        found.append(family.logits(to_float(pixels[part].to(device))).float().cpu())
    return torch.cat(found)


def _parts(count: int, batch: int, told: Told) -> Iterator[slice]:
    """Tells of each part when the next one is asked for."""
    for start in range(0, count, batch):
        stop = min(start + batch, count)
        yield slice(start, stop)
        told(stop, count)


def _device(family: Family) -> torch.device:
    return next(family.parameters()).device
