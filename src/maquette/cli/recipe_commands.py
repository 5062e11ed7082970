"""`maquette recipes …`: what can be trained."""

from typing import Annotated

import typer

app = typer.Typer(help="List, show and copy what can be trained.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """The shipped recipes, a line each."""
    from maquette.cli import listing_screen

    listing_screen.show_recipes()


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A shipped recipe or a YAML file.")],
    full: Annotated[bool, typer.Option(help="Spell out every setting.")] = False,
) -> None:
    """Print a recipe."""
    from maquette.recipes import recipe_text

    if full:
        from maquette.recipe import read_recipe, to_yaml

        typer.echo(to_yaml(read_recipe(name)), nl=False)
    else:
        typer.echo(recipe_text(name), nl=False)


@app.command()
def copy(
    name: Annotated[str, typer.Argument(help="A shipped recipe.")],
    out: Annotated[str | None, typer.Argument(metavar="FILE.yaml", help="[NAME.yaml]")] = None,
) -> None:
    """Copy a recipe to a file of your own, to change."""
    from pathlib import Path

    from maquette.core.errors import SettingsError
    from maquette.core.files import write_text
    from maquette.recipes import recipe_text

    path = Path(out or f"{name}.yaml")
    if path.exists():
        raise SettingsError(f"{path} exists already: choose another name")
    text = recipe_text(name)
    try:
        write_text(path, text)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"{path}: change it, then `maquette train {path} --data DIR`")


@app.command()
def schema(
    family: Annotated[str | None, typer.Argument(help="Only this family's settings.")] = None,
) -> None:
    """Print the JSON Schema of a recipe, for editors and forms."""
    import json

    from maquette.recipe import json_schema

    typer.echo(json.dumps(json_schema(family), indent=2))
