"""Every command explains itself, and quickly. Commands are enumerated: a new one needs no edit."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from commands import maquette
from maquette.cli.main import app

HEAVY = ("torch", "numpy", "sklearn", "matplotlib", "accelerate", "PIL")


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "maquette")
def test_help_says_what_a_command_and_each_option_does(path):
    ended = maquette(*path, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Usage" in ended.out
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{path}: {parameter.name} has no help"


def test_the_commands_are_the_known_ones():
    groups = {"", "data", "recipes"}
    verbs = {"demo", "train", "generate", "runs", "data build"}
    recipes = {f"recipes {verb}" for verb in ("list", "show", "copy", "schema")}
    assert {" ".join(path) for path in COMMANDS} >= groups | verbs | recipes


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("--version",)])
def test_asking_costs_nothing_heavy(arguments):
    """A help page that waits for torch is a help page nobody reads."""
    program = (
        "import sys; from maquette.cli.main import main\n"
        f"sys.argv = ['maquette', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.rstrip().endswith("HEAVY []"), ended.stdout + ended.stderr


def test_importing_maquette_costs_nothing_heavy():
    program = f"import sys, maquette; print([m for m in {HEAVY!r} if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.strip() == "[]"


def test_wrong_usage_ends_with_two():
    assert maquette("train").code == 2
    assert maquette("train", "gan", "--steps", "3", "--hours", "1").code == 2
    assert maquette("paint").code == 2
    assert maquette("generate", "runs/x", "-n", "0").code == 2
