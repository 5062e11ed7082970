"""Make new pictures with a trained run: single ones, or a sheet of every class with every seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from maquette.core.devices import start_engine
from maquette.core.errors import RunError, unknown_name
from maquette.core.family import Generates
from maquette.core.images import Images, ImageSpec, Labels, Pixels, Seeds, to_pixels
from maquette.core.pictures import grid, save_png
from maquette.core.randomness import picture_seeds
from maquette.recipe import parse_recipe, to_yaml
from maquette.runs.folder import Run, open_run
from maquette.workflows.blending import Blender

LARGEST_BATCH = 64


@dataclass(frozen=True)
class Generated:
    """New pictures, and how to make each of them again."""

    pixels: Pixels  # on the CPU
    seeds: tuple[int, ...]  # as a person gives them
    classes: tuple[str, ...]  # asked for, one per picture; empty where the data has none
    sheet: bool = False  # a row for each class, a column for each seed


def generate(
    run: str | Path | Run,
    count: int = 64,
    *,
    classes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    steps: int | None = None,
    sheet: bool = False,
    truncation: float | None = None,
    device: str = "auto",
    report: Callable[[int, int | None], None] = lambda done, total: None,  # noqa: ARG005
) -> Generated:
    """New pictures from a run's served weights.

    Picture i is made from `seeds[i]` (0, 1, 2 … when none are given) and the class whose turn it
    is, and from nothing else: the same seed gives the same picture alone or among a thousand (a
    diffusion model's within a level of 255, where it is made in bf16). A `sheet` has every class
    with every seed, class after class. `truncation` keeps the numbers
    behind a picture within so many standard deviations: less variety, fewer failures.
    `steps` from noise to a picture, for models that take some, instead of what the recipe says.
    Raises RunError when the run has nothing to serve, its family makes no such pictures, or a sheet
    is wanted of a run without classes.
    """
    run = in_steps(run if isinstance(run, Run) else open_run(run), steps)
    numbers = list(seeds) if seeds else list(range(count))
    if not numbers:
        raise RunError("there is nothing to make: ask for one picture or more with -n")
    target = start_engine(device).device
    family = generator_of(run, target)
    make = family.generate
    if truncation is not None:
        make = Blender(run, family, truncation, "cannot be truncated").pictures
    if sheet:
        if not run.spec.classes:
            raise RunError(
                f"a sheet has a row for each class, and {run.folder} learnt no classes: leave out "
                "--sheet"
            )
        kinds = list(dict.fromkeys(classes or run.spec.classes))
        classes = [kind for kind in kinds for _ in numbers]
        numbers *= len(kinds)
    names, labels = labels_in_turn(run.spec, classes, len(numbers))
    made = in_batches(make, labels, numbers, target, report)
    return Generated(made, tuple(numbers), tuple(names), sheet)


def generator_of(run: Run, device: torch.device) -> Generates:
    """The family that a run serves. RunError when it makes no pictures out of seeds."""
    family = run.served_family(str(device))
    if not isinstance(family, Generates):
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which does not make pictures from nothing"
        )
    return family


def in_steps(run: Run, steps: int | None) -> Run:
    """The same, making its pictures in so many steps; None leaves it as it is. RunError when its
    family takes none, SettingsError when it cannot take so many."""
    if steps is None:
        return run
    if "sampling_steps" not in type(run.recipe.model).model_fields:
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which does not go in steps: leave out "
            "--steps"
        )
    overrides = [f"model.sampling_steps={steps}"]
    recipe = parse_recipe(to_yaml(run.recipe), overrides, source=f"--steps {steps}")
    return Run(run.folder, recipe, run.info)


def in_batches(
    make: Callable[[Labels | None, Seeds], Images],
    labels: Labels | None,
    numbers: Sequence[int],
    device: torch.device,
    report: Callable[[int, int | None], None],
) -> Pixels:
    """What `make` makes for these labels and the seeds behind these numbers, on the CPU."""
    made = []
    for start in range(0, len(numbers), LARGEST_BATCH):
        part = slice(start, start + LARGEST_BATCH)
        chosen = None if labels is None else labels[part].to(device)
        made.append(to_pixels(make(chosen, seeds_of(numbers[part]).to(device))).cpu())
        report(min(part.stop, len(numbers)), len(numbers))
    return torch.cat(made)


def seeds_of(numbers: Sequence[int]) -> Seeds:
    """The picture seeds behind the numbers a person gives."""
    return torch.cat([picture_seeds(1, number, "generate") for number in numbers])


def save_generated(generated: Generated, out: str | Path) -> list[Path]:
    """One PNG grid or sheet when `out` ends in .png, otherwise a folder with a PNG per picture."""
    out = Path(out)
    count = len(generated.pixels)
    try:
        if out.suffix.lower() == ".png":
            save_png(_together(generated), out)
            return [out]
        paths, called = [], _file_names(generated.classes)
        for index in range(count):
            name = f"{generated.seeds[index]:06d}"
            if generated.classes:
                name = f"{name}-{called[generated.classes[index]]}"
            paths.append(out / f"{name}.png")
            tile = grid(generated.pixels[index : index + 1], 1, gap_px=0, min_tile_px=1)
            save_png(tile, paths[-1])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{out} cannot be written ({reason}): choose another --out") from error
    return paths


def labels_in_turn(
    spec: ImageSpec, wanted: Sequence[str], count: int
) -> tuple[list[str], Labels | None]:
    """The class of each picture, by name and number: the wanted ones (all of them when none are
    named) in turn; nothing where there are no classes. RunError for a class nobody knows."""
    for name in wanted:
        if name not in spec.classes:
            if not spec.classes:
                raise RunError(f"class {name!r} cannot be asked for: the run learnt no classes")
            raise RunError(unknown_name("class", name, list(spec.classes)))
    chosen = list(wanted) or list(spec.classes)
    if not chosen:
        return [], None
    names = [chosen[i % len(chosen)] for i in range(count)]
    return names, torch.tensor([spec.classes.index(name) for name in names])


def _together(generated: Generated) -> Image.Image:
    if not generated.sheet:
        return grid(generated.pixels, _columns(generated))
    kinds = list(dict.fromkeys(generated.classes))
    return grid(generated.pixels, len(generated.pixels) // len(kinds), row_names=kinds)


def _columns(generated: Generated) -> int:
    """A column for each class where there are classes, else a square."""
    kinds = len(set(generated.classes))
    return kinds if 1 < kinds <= 20 else max(1, round(len(generated.pixels) ** 0.5))


def _file_names(classes: Sequence[str]) -> dict[str, str]:
    """What to call each class in names of files: never two alike, whatever the case of letters."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for kind in dict.fromkeys(classes):
        plain = name = _as_file_name(kind)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        names[kind] = name
        taken.add(name.lower())
    return names


def _as_file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
