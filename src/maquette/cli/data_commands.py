"""`maquette data …`: from pictures to a dataset."""

from typing import Annotated, Literal

import typer

# The same words as in maquette.data, repeated because importing that takes seconds.
Fit = Literal["cover", "contain", "stretch"]
Colour = Literal["auto", "rgb", "grey"]
Labels = Literal["auto", "folders", "sources", "none"]

app = typer.Typer(help="Turn pictures into a dataset.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Turn pictures into a dataset."""


@app.command()
def build(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help="A folder (sub-folders are classes), a zip, idx or npy files, or builtin:digits.",
        ),
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="Dataset folder to make.")],
    size: Annotated[
        str, typer.Option(metavar="64|96x128", help="Size in pixels: square, or HEIGHTxWIDTH.")
    ],
    fit: Annotated[
        Fit, typer.Option(help="How to fill the size: crop, bars or stretch.")
    ] = "cover",
    colour: Annotated[Colour, typer.Option(help="Colours to keep.")] = "auto",
    labels: Annotated[Labels, typer.Option(help="Where class names come from.")] = "auto",
    holdout: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share kept away from training, for judging.")
    ] = 0.1,
) -> None:
    """Read pictures of any kind, prepare them all alike and keep some aside for judging.

    Files that cannot be read are left out and named, with the reason, in DIR/items.jsonl. Identical
    pictures always land on the same side of the split.

    Examples:

    - `maquette data build photos/ --out data/photos --size 64`
    - `maquette data build train-images-idx3-ubyte.gz --out data/mnist --size 32`
    - `maquette data build apple.npy bird.npy --out data/drawings --size 28`
    """
    from maquette.cli import building_screen

    building_screen.show(sources, out, size, fit, colour, labels, holdout)
