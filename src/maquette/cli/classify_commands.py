"""`maquette classify`: which class is it?"""

from typing import Annotated

import typer

from maquette.cli.options import DeviceOption


def classify(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run of a classifier.")],
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…", help="Pictures, folders, drawings (ndjson), anything `build` reads."
        ),
    ],
    top: Annotated[int, typer.Option("--top", min=1, help="Classes to name for each.")] = 3,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="All answers as .csv or .json; the table shows some."),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Name the class of pictures and drawings.

    They are prepared exactly as those that the run learnt from.

    Examples:

    - `maquette classify runs/drawings cat.png`
    - `maquette classify runs/drawings sketches/ --top 5 --out answers.csv`
    """
    from maquette.cli import classifying_screen

    classifying_screen.show(run, sources, top, out, device)
