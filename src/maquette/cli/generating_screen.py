"""What a person sees of generating."""

import csv
from dataclasses import dataclass
from pathlib import Path

from maquette.cli.console import console, counting, printable
from maquette.core.errors import SettingsError
from maquette.workflows.generating import Generated, generate, save_generated
from maquette.workflows.journeys import journey, save_journey
from maquette.workflows.varying import vary

MOST_PICTURES = 1_000_000
SHEET_COLUMNS = 8  # of a sheet, when no seeds are given


@dataclass(frozen=True)
class Asked:
    """What a person asks of every kind of new pictures, as they typed it."""

    run: str
    count: int
    classes: str | None
    seeds: str | None
    out: str | None
    steps: int | None
    device: str

    @property
    def names(self) -> list[str]:
        return [] if self.classes is None else parse_classes(self.classes)

    @property
    def numbers(self) -> list[int]:
        return [] if self.seeds is None else parse_seeds(self.seeds)


@dataclass(frozen=True)
class Like:
    """The picture that new ones are made from."""

    picture: str
    strength: float | None
    mask: str | None


def show(asked: Asked, *, sheet: bool, truncation: float | None) -> None:
    numbers = asked.numbers
    if sheet and not numbers:
        numbers = list(range(min(asked.count, SHEET_COLUMNS)))
    with counting("generating", "pictures") as report:
        made = generate(
            asked.run,
            asked.count,
            classes=asked.names,
            seeds=numbers,
            sheet=sheet,
            truncation=truncation,
            steps=asked.steps,
            device=asked.device,
            report=report,
        )
    _tell(made, asked)


def show_variations(asked: Asked, like: Like) -> None:
    with counting("generating", "pictures") as report:
        made = vary(
            asked.run,
            like.picture,
            asked.count,
            strength=like.strength,
            mask=like.mask,
            classes=asked.names,
            seeds=asked.numbers,
            steps=asked.steps,
            device=asked.device,
            report=report,
        )
    _tell(made, asked)


def show_journey(asked: Asked, out: Path, *, truncation: float | None) -> None:
    with counting("generating", "pictures") as report:
        frames = journey(
            asked.run,
            classes=asked.names,
            seeds=asked.numbers,
            truncation=truncation,
            device=asked.device,
            report=report,
        )
    console.print(f"{len(frames):,} pictures: [bold]{printable(save_journey(frames, out))}[/]")


def _tell(made: Generated, asked: Asked) -> None:
    paths = save_generated(made, asked.out or Path(asked.run) / "generated.png")
    place = paths[0] if len(paths) == 1 else paths[0].parent
    console.print(f"{len(made.pixels):,} pictures: [bold]{printable(place)}[/]")


def parse_classes(text: str) -> list[str]:
    """Names from "a,b"; one with a comma in it is quoted, as in a CSV: '"Monet, Claude",b'. Raises
    SettingsError for quotes that do not close and for no names at all."""
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        rows = []
    if not rows or not rows[0]:
        raise SettingsError(
            f"--classes {text!r}: write names with commas between them, and quotes around a name "
            "that has a comma of its own"
        )
    return [name.strip() for name in rows[0]]


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
