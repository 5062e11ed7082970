"""`maquette`: the commands, their options and their help. Everything heavy is imported when used.

maquette demo                     the first ten minutes
maquette data build PICTURES …    check and prepare pictures
maquette train RECIPE …           train, or go on
maquette generate RUN …           new pictures
maquette evaluate RUN …           how good it is
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from maquette import __version__
from maquette.cli import (
    classify_commands,
    data_commands,
    export_commands,
    generate_commands,
    recipe_commands,
    schedule_commands,
    teach_commands,
    translate_commands,
)
from maquette.cli.failing import one_sentence
from maquette.cli.options import DeviceOption

app = typer.Typer(
    name="maquette",
    help="Turn your own small, messy set of pictures into an image model you can trust.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)
app.add_typer(data_commands.app, name="data")
app.add_typer(recipe_commands.app, name="recipes")

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="A.B=C",
        help="Change any setting of the recipe, e.g. `--set training.batch_size=64`. Repeatable.",
    ),
]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"maquette {__version__}")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[str, typer.Option(help="Run folder to make.", metavar="DIR")] = "runs/demo",
    settings: SetOption = None,
) -> None:
    """Learn to write digits from 1,797 real ones, judge the result and draw a report.

    Everything is built in: nothing is downloaded. It takes a few minutes on two cores. Interrupt it
    with Ctrl-C whenever you like: the same command goes on where it stopped.
    """
    from maquette.cli import demo_screen

    demo_screen.show(out, settings or [])


@app.command()
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|RUN",
            help="A shipped recipe (`maquette recipes list`), a YAML file, or a run to go on with.",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Dataset folder, made by `maquette data build`."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Run folder; a run already there continues. [runs/RECIPE]"
        ),
    ] = None,
    settings: SetOption = None,
    steps: Annotated[int | None, typer.Option(help="Train so many steps.", min=1)] = None,
    hours: Annotated[
        float | None,
        typer.Option(help="Train so long: schedules stretch over it, and it ends inside it."),
    ] = None,
) -> None:
    """Train a model on a dataset, or go on with a run.

    Run the same command again after Ctrl-C, a crash or a power cut and it goes on as if nothing had
    happened. Losses that explode are noticed: training goes back to a checkpoint known to be good.

    Examples:

    - `maquette train gan --data data/berries --out runs/berries`
    - `maquette train gan --data data/berries --hours 0.5`
    - `maquette train runs/berries --steps 40000`  (longer than planned at first)
    """
    from maquette.cli import training_screen

    if steps is not None and hours is not None:
        raise typer.BadParameter("give --steps or --hours, not both")
    length = []
    if steps is not None:
        length = [f"training.steps={steps}", "training.epochs=null", "training.hours=null"]
    if hours is not None:
        length = [f"training.hours={hours}"]
    training_screen.show(recipe, data, out, [*(settings or []), *length])


app.command()(generate_commands.generate)
app.command()(translate_commands.translate)
app.command()(classify_commands.classify)
app.command()(teach_commands.teach)


@app.command()
def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Another dataset folder to judge by, such as a test set: all its pictures. "
            "[held-out ones of its own]",
        ),
    ] = None,
    checkpoint: Annotated[
        str,
        typer.Option(
            metavar="best|last|all",
            help="best: what the run serves; last: the end of training; all: a column for each.",
        ),
    ] = "best",
    metrics: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Measure only these, e.g. `kid,frechet`. [all]"),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[@FILE]",
            help="Feature network: inception, squeezenet1_1@weights.safetensors, timm:NAME or "
            "random-cnn. [$MAQUETTE_FEATURES, else random-cnn]",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            min=2,
            help="Pictures to make [5,000; 1,000 for a small dataset], or to translate [all].",
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Measure how good a run is: each number with its floor, its ceiling and its uncertainty.

    What makes pictures, what translates them and what names them are each measured in their way, by
    pictures they did not learn from. The floor is what takes no skill (noise, pictures left as they
    were, the most frequent class), the ceiling what real pictures or a faultless model would score.
    Numbers depend on the feature network and on how many pictures are made: compare only alike.

    Examples:

    - `maquette evaluate runs/berries`
    - `maquette evaluate runs/drawings --data data/drawings-test`
    - `maquette evaluate runs/berries --features squeezenet1_1@squeezenet.safetensors -n 2000`
    - `maquette evaluate runs/berries --checkpoint all --metrics kid,memorisation`
    """
    from maquette.cli import judging_screen

    judging_screen.show(run, data, checkpoint, metrics, features, count, device)


@app.command()
def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN…", help="Run folders that were evaluated.")
    ],
    out: Annotated[
        str, typer.Option(metavar="FILE.html", help="The page to write.")
    ] = "compare.html",
) -> None:
    """Put runs side by side: numbers, curves, pictures, and what was set differently.

    Nothing is measured again. A run is called best only where the uncertainties do not overlap.

    Examples:

    - `maquette compare runs/berries runs/berries-wide`
    - `maquette compare runs/seed-0 runs/seed-1 runs/seed-2 --out seeds.html`
    """
    from maquette.cli import comparing_screen

    comparing_screen.show(runs, out)


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, in whatever state.")],
) -> None:
    """Draw a run's report.html anew: one page that needs nothing beside itself and can be printed.

    Example:

    - `maquette report runs/berries`
    """
    from maquette.cli import report_screen

    report_screen.show(run)


@app.command()
def runs(
    folder: Annotated[str, typer.Argument(help="Where the runs lie.")] = "runs",
) -> None:
    """Table of runs: state, recipe, length and the score of what each serves."""
    from maquette.cli import listing_screen

    listing_screen.show_runs(folder)


app.command()(export_commands.export)
app.command()(schedule_commands.schedule)


def main(run: Callable[[], None] = app) -> None:
    """Entry point: problems a person can mend become one sentence and an exit code."""
    sys.exit(one_sentence(run))


if __name__ == "__main__":
    main()
