"""`maquette translate`: its options and its help."""

from typing import Annotated

import typer

from maquette.cli.options import DeviceOption


def translate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder of a translator.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="PICTURE|FILM|FOLDER", help="What to translate; a folder with all below it."
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DIR",
            help="A file (.jpg, .png, .mp4), or a folder that keeps names and tree. "
            "[RUN/translated]",
        ),
    ] = None,
    direction: Annotated[
        str | None,
        typer.Option(
            metavar="A-TO-B", help="a-to-b, b-to-a, or names as in horse-to-zebra. [the first]"
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the translation; the rest is the source."),
    ] = 1.0,
    stabilise: Annotated[
        bool, typer.Option("--stabilise", help="Lower the flicker of films.")
    ] = False,
    size: Annotated[
        str,
        typer.Option(metavar="native|256", help="Reduce the shorter side to so many pixels first."),
    ] = "native",
    compare: Annotated[
        bool, typer.Option("--compare", help="Put the source at the left of each result.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Translate pictures and films with a run, whatever their size.

    Pictures come out upright and keep their transparency; films keep their sound, times and bars
    and play in a browser. Interrupt it whenever you like: the same command goes on from there.

    Examples:

    - `maquette translate runs/horses meadow.jpg --out zebras.jpg`
    - `maquette translate runs/horses ride.mp4 --out zebra.mp4 --stabilise --compare`
    - `maquette translate runs/horses photos/ --out zebras/ --strength 0.8 --direction b-to-a`
    """
    from maquette.cli import translating_screen

    translating_screen.show(
        run,
        source,
        out,
        direction=direction,
        strength=strength,
        stabilise=stabilise,
        size=size,
        compare=compare,
        device=device,
    )
