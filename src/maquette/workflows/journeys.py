"""A moving picture from seed to seed or from class to class, and back to where it began."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from maquette.core.devices import start_engine
from maquette.core.errors import RunError
from maquette.core.images import Pixels, to_pixels
from maquette.core.pictures import moving
from maquette.runs.folder import Run, open_run
from maquette.workflows.blending import Blender
from maquette.workflows.generating import generator_of, labels_in_turn, seeds_of

SECONDS_A_FRAME = 0.08


def journey(
    run: str | Path | Run,
    *,
    classes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    frames: int = 16,
    truncation: float | None = None,
    device: str = "auto",
    report: Callable[[int, int | None], None] = lambda done, total: None,  # noqa: ARG005
) -> Pixels:
    """From stop to stop and back to the first, `frames` pictures on each way.

    There are as many stops as seeds or classes, whichever are more; the others take turns. So one
    seed with three classes goes between classes, one class with three seeds between seeds.
    Raises RunError for a family that knows nothing between two pictures, or a single stop.
    """
    run = run if isinstance(run, Run) else open_run(run)
    stops = max(len(seeds), len(classes))
    if stops < 2:
        raise RunError(
            "a moving picture goes from one stop to the next: give two --seeds or --classes or more"
        )
    target = start_engine(device).device
    family = generator_of(run, target)
    blender = Blender(run, family, truncation, "knows nothing between two pictures")
    _, labels = labels_in_turn(run.spec, classes or run.spec.classes[:1], stops)
    starts = seeds or [0]
    each = seeds_of([starts[stop % len(starts)] for stop in range(stops)]).to(target)
    along = torch.arange(frames, device=target)[:, None] / frames
    made: list[Tensor] = []
    for stop in range(stops):
        ends = torch.tensor([stop, (stop + 1) % stops])
        named = None if labels is None else labels[ends].to(target)
        made.append(to_pixels(blender.way(named, each[ends], along)).cpu())
        report(len(made) * frames, stops * frames)
    return torch.cat(made)


def save_journey(pixels: Pixels, out: str | Path) -> Path:
    """A GIF that begins again when it has ended. RunError when it cannot be written."""
    out = Path(out)
    try:
        moving(pixels, out, seconds_a_frame=SECONDS_A_FRAME)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{out} cannot be written ({reason}): choose another --out") from error
    return out
