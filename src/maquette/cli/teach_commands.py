"""`maquette teach`: one more class, from one's own pictures."""

from typing import Annotated

import typer


def teach(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run of a classifier.")],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE…", help="Pictures or drawings of the class."),
    ],
    name: Annotated[
        str,
        typer.Option("--class", metavar="NAME", help="The class; one it knows gets more pictures."),
    ],
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Run folder to make; its data beside it.")
    ],
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="How long to learn. [a fifth of what the run took]"),
    ] = None,
) -> None:
    """Teach a classifier one more class; it does not forget the others.

    RUN stays as it is. The pictures it learnt from are learnt on together with the new ones, so its
    dataset must still be there. Call it again, with the new run, for another class.

    Example:

    - `maquette teach runs/drawings my-dragons/ --class dragon --out runs/with-dragons`
    """
    from maquette.cli import teaching_screen

    teaching_screen.show(run, sources, name, out, steps)
