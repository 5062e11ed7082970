"""`maquette schedule`: how a recipe adds noise."""

from typing import Annotated

import typer


def schedule(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe of a diffusion model, or a YAML file.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="A.B=C",
            help="Change a setting, e.g. model.schedule, model.beta_max, model.steps. Repeatable.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Dataset folder whose first picture is shown. [a digit]"),
    ] = None,
    out: Annotated[
        str, typer.Option(metavar="FILE.png", help="Where to draw it.")
    ] = "schedule.png",
) -> None:
    """Show what a noise schedule leaves of a picture, and when, before training on it.

    Ends with exit code 1 where nothing could be learnt: when less than 1 % of the signal is left
    before 40 % of the steps, or more than 5 % at the end. Training refuses such a schedule too.

    Examples:

    - `maquette schedule diffusion --data data/berries --out strip.png`
    - `maquette schedule diffusion-ddpm --set model.steps=300 --set model.beta_max=0.05`
    """
    from maquette.cli import scheduling_screen

    scheduling_screen.show(recipe, settings or [], data, out)
