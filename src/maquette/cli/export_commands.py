"""`maquette export`: out of Maquette, into a program or a browser."""

from typing import Annotated, Literal

import typer

Form = Literal["onnx", "web", "diffusers"]


def export(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run of a classifier or diffusion model.")
    ],
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Folder to write; a single file may be named.")
    ],
    to: Annotated[
        Form,
        typer.Option(
            help="onnx: files for any program; web: a page for any static host; diffusers: a "
            "pipeline for that library."
        ),
    ] = "onnx",
    single_file: Annotated[
        bool,
        typer.Option("--single-file", help="With web: one HTML file that opens from disk."),
    ] = False,
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="With diffusers: the class of its pictures. [any]"
        ),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Unpacked onnxruntime-web, where it cannot be downloaded. [downloaded once]",
        ),
    ] = None,
) -> None:
    """Take a model along: a classifier as ONNX files or as a page on which one draws and it
    answers, a diffusion model as a folder for diffusers.

    All preprocessing is inside a classifier's files. The page needs no server of its own and asks
    nothing of anyone: copy it to any static host, or try it with `python -m http.server`.

    Examples:

    - `maquette export runs/digits --out digits-onnx`
    - `maquette export runs/digits --to web --out site`
    - `maquette export runs/digits --to web --single-file --out digits.html`
    - `maquette export runs/berries --to diffusers --out berries-pipeline`
    """
    from maquette.cli import exporting_screen

    exporting_screen.show(run, out, to, single_file, class_name, runtime)
