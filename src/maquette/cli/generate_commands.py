"""`maquette generate`: its options and its help."""

from pathlib import Path
from typing import Annotated

import typer

from maquette.cli.options import DeviceOption

PICTURES = 64  # where neither a number nor seeds are given


def generate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder.")],
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, help="How many pictures. [64]")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Classes to make, in turn; a name with a comma in quotes: '\"Monet, Claude\",B'. "
            "[all]",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="0-9,42", help="Seeds, one picture each; the same seed, the same one."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps from noise to a picture (diffusion models); 1, 2, 4 or 8 are jumps, where "
            "they were learnt. [the recipe's]",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|GRID.png|WAY.gif",
            help="A folder for single PNGs, one grid, or a moving picture that goes from each seed "
            "or class to the next. [RUN/generated.png]",
        ),
    ] = None,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Every class with every seed: a row for each class.")
    ] = False,
    truncation: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="SIGMAS",
            help="Keep the random numbers within so many standard deviations: at 0.7, say, there "
            "is less variety and fewer pictures fail.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PICTURE", help="Make variations of this picture instead."),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="With --from: 0 leaves the picture as it is, 1 makes a new one: a share of the "
            "steps, so that few --steps may leave more of it. [0.6; 1 with a mask]",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="PICTURE", help="With --from: what is white is made anew, what is black stays."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Make new pictures with a run, out of nothing or out of a picture of yours.

    Variations and masks need a diffusion model. They are of no class in particular, unless
    --classes names some.

    Examples:

    - `maquette generate runs/demo -n 100 --out digits.png`
    - `maquette generate runs/demo --classes 3,7 --seeds 0-9 --out threes-and-sevens/`
    - `maquette generate runs/berries --steps 4 -n 400 --out many/`
    - `maquette generate runs/art --sheet --seeds 0-7 --out sheet.png`
    - `maquette generate runs/art --classes Baroque,Ukiyo_e --seeds 3 --out from-class-to-class.gif`
    - `maquette generate runs/berries --from photo.png --strength 0.6 -n 16`
    - `maquette generate runs/berries --from photo.png --mask mask.png -n 16`
    """
    from maquette.cli import generating_screen

    if source is None and (strength is not None or mask is not None):
        raise typer.BadParameter("--strength and --mask are for pictures made --from another")
    if count is not None and seeds is not None:
        raise typer.BadParameter("-n and --seeds both say how many: leave one of them out")
    moving = out is not None and Path(out).suffix.lower() == ".gif"
    asked = generating_screen.Asked(run, count or PICTURES, classes, seeds, out, steps, device)
    if source is not None:
        if sheet or truncation is not None or moving:
            raise typer.BadParameter("with --from there are no --sheet, --truncation and .gif")
        like = generating_screen.Like(source, strength, mask)
        generating_screen.show_variations(asked, like)
    elif out is not None and moving:
        if sheet:
            raise typer.BadParameter("--sheet is a still picture: give --out a name with .png")
        if count is not None:
            raise typer.BadParameter(
                "-n is not for .gif, which goes from each of --seeds or --classes to the next: "
                "leave it out"
            )
        if steps is not None:
            raise typer.BadParameter("--steps is not for .gif: models that go in steps make none")
        generating_screen.show_journey(asked, Path(out), truncation=truncation)
    else:
        generating_screen.show(asked, sheet=sheet, truncation=truncation)
