"""What a person sees of generating."""

from dataclasses import dataclass
from pathlib import Path

from maquette.cli.console import console, counting, printable
from maquette.core.errors import SettingsError
from maquette.workflows.generating import generate, save_generated
from maquette.workflows.varying import vary

MOST_PICTURES = 1_000_000


@dataclass(frozen=True)
class Like:
    """The picture that new ones are made from."""

    picture: str
    strength: float | None
    mask: str | None


def show(
    run: str,
    count: int,
    classes: str | None,
    seeds: str | None,
    out: str | None,
    steps: int | None,
    device: str,
    like: Like | None,
) -> None:
    names = [name.strip() for name in classes.split(",")] if classes else []
    numbers = [] if seeds is None else parse_seeds(seeds)
    with counting("generating", "pictures") as report:
        if like is None:
            made = generate(
                run,
                count,
                classes=names,
                seeds=numbers,
                steps=steps,
                device=device,
                report=report,
            )
        else:
            made = vary(
                run,
                like.picture,
                count,
                strength=like.strength,
                mask=like.mask,
                classes=names,
                seeds=numbers,
                steps=steps,
                device=device,
                report=report,
            )
    paths = save_generated(made, out or Path(run) / "generated.png")
    place = paths[0] if len(paths) == 1 else paths[0].parent
    console.print(f"{len(made.pixels):,} pictures: [bold]{printable(place)}[/]")


def parse_seeds(text: str) -> list[int]:
    """Seeds from "0-9,42". Raises SettingsError for anything else."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            start, stop = int(first), int(last) if dash else int(first)
        except ValueError:
            start, stop = 0, -1
        if not 0 <= start <= stop:
            raise SettingsError(f"--seeds {text}: write numbers and ranges, for example 0-9,42")
        if len(seeds) + stop - start >= MOST_PICTURES:
            raise SettingsError(f"--seeds {text}: these are more than {MOST_PICTURES:,} pictures")
        seeds += range(start, stop + 1)
    return seeds
