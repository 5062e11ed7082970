"""`maquette data …`: from pictures to a dataset."""

from typing import Annotated, Literal

import typer

# The same words as in maquette.data, repeated because importing that takes seconds.
Fit = Literal["cover", "contain", "stretch"]
Colour = Literal["auto", "rgb", "grey"]
Labels = Literal["auto", "folders", "sources", "none"]

app = typer.Typer(help="Check pictures and turn them into a dataset.", no_args_is_help=True)

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE…",
        help="A folder (sub-folders are classes), an archive (zip, tar), arrays (npy, npz, idx), "
        "TFRecords, Parquet, drawings (ndjson), a video, hf:OWNER/NAME, kaggle:OWNER/NAME or "
        "builtin:digits.",
    ),
]
LabelsOption = Annotated[Labels, typer.Option(help="Where class names come from.")]
LabelTable = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[:COLUMN]", help="A CSV or Parquet table with a class for each file name."
    ),
]
LabelColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="NAME=HOW",
        help="Several labels a picture, of which a recipe takes the first or data.label: "
        "NAME=folders, sources, prefix (of file names, up to the first _), column:COLUMN (of the "
        "table that holds the pictures) or FILE[:COLUMN]. Repeatable.",
    ),
]
Unlike = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="Pictures of what is not wanted, whose like goes; give --features too.",
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="SqueezeNet 1.1 weights (safetensors) that judge likeness better than colours do.",
    ),
]
Family = Annotated[
    str | None, typer.Option(help="The kind of model planned, e.g. gan: says if pictures suffice.")
]
Shape = Annotated[
    str | None,
    typer.Option(metavar="28x28[x3]", help="Of each picture in files of bytes without a header."),
]
ImageFeature = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of the pictures in TFRecords and tables.")
]
LabelFeature = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of the classes in TFRecords and tables.")
]
Fps = Annotated[float, typer.Option(min=0.001, help="Frames of each second of video to look at.")]
MinChange = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Leave out video frames that change less; 0 keeps all."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that look at pictures; one a core by default.")
]


@app.callback()
def _group() -> None:
    """Check pictures and turn them into a dataset."""


@app.command()
def check(
    sources: Sources,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write findings.json and contact sheets to look at."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="64|96x128", help="Size of the dataset planned.")
    ] = None,
    family: Family = None,
    unlike: Unlike = None,
    features: Features = None,
    labels: LabelsOption = "auto",
    label_table: LabelTable = None,
    label_columns: LabelColumns = None,
    shape: Shape = None,
    image_feature: ImageFeature = None,
    label_feature: LabelFeature = None,
    fps: Fps = 1.0,
    min_change: MinChange = 0.02,
    workers: Workers = None,
) -> None:
    """Find what is wrong with pictures before anything learns from them. Changes nothing.

    Unreadable files, duplicates (also across your own train and test folders), black bars,
    watermarks, blurred, blank, turned, grey and strange pictures, classes out of balance.

    Examples:

    - `maquette data check photos/ --out findings`
    - `maquette data check film.mp4 --fps 2`
    - `maquette data check landscapes/ --unlike streets/ --features squeezenet1_1.safetensors`
    """
    from maquette.cli import checking_screen
    from maquette.workflows.datasets import reading

    how = reading(shape, image_feature, label_feature, fps, min_change)
    checking_screen.show(
        sources,
        out=out,
        size=size,
        family=family,
        unlike=unlike or [],
        features=features,
        labels=labels,
        label_table=label_table,
        label_columns=label_columns or [],
        reading=how,
        workers=workers,
    )


@app.command()
def build(
    sources: Sources,
    out: Annotated[str, typer.Option(metavar="DIR", help="Dataset folder to make.")],
    size: Annotated[
        str, typer.Option(metavar="64|96x128", help="Size in pixels: square, or HEIGHTxWIDTH.")
    ],
    fit: Annotated[
        Fit, typer.Option(help="How to fill the size: crop, bars or stretch.")
    ] = "cover",
    colour: Annotated[Colour, typer.Option(help="Colours to keep.")] = "auto",
    labels: LabelsOption = "auto",
    label_table: LabelTable = None,
    label_columns: LabelColumns = None,
    holdout: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share kept away from training, for judging.")
    ] = 0.1,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING,…",
            help="Leave out pictures with these findings, e.g. duplicates,blurry. Repeatable.",
        ),
    ] = None,
    keep_bars: Annotated[
        bool, typer.Option("--keep-bars", help="Do not crop letterbox and pillarbox bars.")
    ] = False,
    stroke_channels: Annotated[
        bool,
        typer.Option(
            "--stroke-channels", help="Drawings get the order of strokes and time as channels."
        ),
    ] = False,
    unlike: Unlike = None,
    features: Features = None,
    family: Family = None,
    shape: Shape = None,
    image_feature: ImageFeature = None,
    label_feature: LabelFeature = None,
    fps: Fps = 1.0,
    min_change: MinChange = 0.02,
    workers: Workers = None,
) -> None:
    """Read pictures of any kind, prepare them all alike and keep some aside for judging.

    What cannot be read is left out and kept, with the reason, in DIR/quarantine; nothing is taken
    from where it was. Duplicates and near duplicates land on the same side of the split. Stopped
    and called again, it goes on.

    Examples:

    - `maquette data build photos/ --out data/photos --size 64 --drop duplicates,blurry`
    - `maquette data build train-images-idx3-ubyte.gz --out data/mnist --size 32`
    - `maquette data build apple.npy bird.npy --out data/drawings --size 28`
    - `maquette data build art/ --out d --size 64 --label style=folders --label artist=prefix`
    - `maquette data build art.parquet --out d --size 64 --label style=column:style`
    - `maquette data build film.mp4 --out data/film --size 128 --fps 1`
    """
    from maquette.cli import building_screen
    from maquette.workflows.datasets import reading

    how = reading(shape, image_feature, label_feature, fps, min_change)
    building_screen.show(
        sources,
        out,
        size,
        fit=fit,
        colour=colour,
        labels=labels,
        label_table=label_table,
        label_columns=label_columns or [],
        holdout=holdout,
        drop=[name for names in drop or [] for name in names.split(",") if name],
        keep_bars=keep_bars,
        stroke_channels=stroke_channels,
        unlike=unlike or [],
        features=features,
        family=family,
        reading=how,
        workers=workers,
    )


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(metavar="DIR", help="A dataset folder.")],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.png", help="Contact sheet to write; else DIR/contact-sheet.png."
        ),
    ] = None,
) -> None:
    """What a dataset holds: sizes, splits, classes, findings, and a contact sheet to look at."""
    from maquette.cli import showing_screen

    showing_screen.show(dataset, out)
