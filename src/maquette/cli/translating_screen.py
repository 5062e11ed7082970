"""What a person sees of translating."""

from pathlib import Path

from maquette.cli.console import console, counting_stages, errors, printable
from maquette.core.errors import SettingsError
from maquette.evaluation.flicker import Flicker
from maquette.workflows.translating import Translated, translate


def show(
    run: str,
    source: str,
    out: str | None,
    *,
    direction: str | None,
    strength: float,
    stabilise: bool,
    size: str,
    compare: bool,
    device: str,
) -> None:
    if size != "native" and not size.isdecimal():
        raise SettingsError(f"--size {size}: give native, or the pixels of the shorter side")
    try:
        with counting_stages("" if Path(source).is_dir() else "frames") as report:
            done = translate(
                run,
                source,
                out,
                direction=direction,
                strength=strength,
                stabilise=stabilise,
                size="native" if size == "native" else int(size),
                compare=compare,
                device=device,
                report=report,
            )
    except KeyboardInterrupt:
        errors.print("stopped: the same command goes on from here")
        raise
    _tell(done, Path(source).is_dir())


def _tell(done: Translated, of_folder: bool) -> None:
    for remark in done.remarks:
        errors.print(f"[yellow]note:[/] {printable(remark)}")
    if done.earlier:
        console.print(f"{len(done.earlier):,} had been translated before")
    made = [*done.pictures, *done.films]
    if of_folder:
        console.print(f"{done.direction}: {len(made):,} translated")
    for place in made[:1] if not of_folder else []:
        console.print(f"{printable(done.direction)}: [bold]{printable(place)}[/]")
    if done.flicker.pairs:
        console.print(_flicker(done.flicker))


def _flicker(flicker: Flicker) -> str:
    return (
        f"flicker: {flicker.made_levels:.2f} grey levels from frame to frame beside what moves "
        f"(the source itself: {flicker.source_levels:.2f})"
    )
