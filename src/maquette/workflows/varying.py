"""Make new pictures out of one: variations of it, or of the part of it that a mask shows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from maquette.core.devices import start_engine
from maquette.core.errors import DatasetError, RunError, SettingsError
from maquette.core.family import Varies
from maquette.core.images import Images, Kept, Labels, Pixels, Seeds, to_float
from maquette.data.pictures.content import Box, Raster
from maquette.data.pictures.looking import Bench, Facts
from maquette.runs.folder import Run, open_run
from maquette.workflows.generating import Generated, in_batches, in_steps, labels_in_turn
from maquette.workflows.serving import as_learnt, preparation_of, reads_drawings

STRENGTH = 0.6  # when none is given; with a mask 1, since what stays is told by the mask


def vary(
    run: str | Path | Run,
    picture: str | Path,
    count: int = 64,
    *,
    strength: float | None = None,
    mask: str | Path | None = None,
    classes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    steps: int | None = None,
    device: str = "auto",
    report: Callable[[int, int | None], None] = lambda done, total: None,  # noqa: ARG005
) -> Generated:
    """Pictures like `picture`, one for each seed (0, 1, 2 … when none are given).

    `strength` says how far from it: 0 is the picture, 1 as new. The picture is prepared as those
    the run learnt from. `mask` is a picture of the same size: what is white in it is made anew,
    what is black stays. Without `classes` they are of no class in particular. `steps` are those of
    `generate`, of which `strength` is the share taken. Raises RunError when the run cannot do this,
    DatasetError when a picture cannot be read, SettingsError for a strength outside 0 to 1.
    """
    run = in_steps(run if isinstance(run, Run) else open_run(run), steps)
    if strength is not None and not 0 <= strength <= 1:
        raise SettingsError(f"strength {strength} is not between 0 (the picture) and 1 (as new)")
    numbers = list(seeds) if seeds else list(range(count))
    target = start_engine(device).device
    family = run.served_family(str(target))
    if not isinstance(family, Varies):
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which does not make pictures out of "
            "pictures: train a diffusion model for that"
        )
    pixels, kept = _read(run, Path(picture), None if mask is None else Path(mask))
    image = to_float(pixels).to(target)
    kept = None if kept is None else kept.to(target)
    far = strength if strength is not None else STRENGTH if kept is None else 1.0

    def make(labels: Labels | None, each: Seeds) -> Images:
        size = len(each)
        part = None if kept is None else kept.expand(size, -1, -1, -1)
        return family.vary(image.expand(size, -1, -1, -1), labels, each, far, part)

    names, labels = labels_in_turn(run.spec, classes, len(numbers)) if classes else ([], None)
    made = in_batches(make, labels, numbers, target, report)
    return Generated(made, tuple(numbers), tuple(names))


def _read(run: Run, picture: Path, mask: Path | None) -> tuple[Pixels, Kept | None]:
    """Both as batches of one, cut and reduced in the same way."""
    bench = preparation_of(run)
    content = _content(picture)
    facts, raster = _looked(bench, picture, content)
    pixels = as_learnt(raster, content, bench, reads_drawings(run))
    if mask is None:
        return _batch(pixels), None
    whole = Box(0, 0, facts.width, facts.height)
    grey = replace(bench, channels=1, stroke_channels=False)
    shown, anew = _looked(grey, mask, _content(mask), facts.box or whole)
    if (shown.width, shown.height) != (facts.width, facts.height):
        raise DatasetError(
            f"the mask {mask} is {shown.width}x{shown.height} pixels and {picture} "
            f"{facts.width}x{facts.height}: paint the mask over a copy of the picture"
        )
    return _batch(pixels), 1 - (_batch(anew).float() / 255).round()


def _looked(
    bench: Bench, path: Path, content: bytes, box: Box | None = None
) -> tuple[Facts, Raster]:
    look = bench.look(content, box)
    if look.facts is None or look.pixels is None:
        reason = "it holds nothing" if look.fault is None else look.fault.reason
        raise DatasetError(f"{path} cannot be read as a picture: {reason}")
    return look.facts, look.pixels


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise DatasetError(f"{path} cannot be read: {reason}") from None


def _batch(raster: Raster) -> Pixels:
    return torch.tensor(raster).permute(2, 0, 1)[None]  # a copy: rasters may be read-only
