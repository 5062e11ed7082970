"""What the pages say is so: commands exist, links resolve, the tree is complete, caps are kept."""

import ast
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from maquette.cli.main import app

ROOT = Path(__file__).parents[1]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split("\n")
FILES = [ROOT / name for name in LISTED if name and (ROOT / name).is_file()]
PAGES = [file for file in FILES if file.suffix == ".md"]
SOURCES = [file for file in FILES if file.is_relative_to(ROOT / "src") and file.suffix == ".py"]
MOST_LINES, MOST_FUNCTION_LINES = 250, 40
# Folders of one particular machine. Put together, so that this file does not name them.
FOREIGN = re.compile("|".join(f"(?<![\\w.~-])/{name}/" for name in ("work", "tmp", "root", "home")))

pytestmark = pytest.mark.skipif(not FILES, reason="needs a git checkout")


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.M | re.S)
    return [text for name, text in found if name == language]


COMMANDS = [
    line
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if line.startswith("maquette")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_in_a_page_exists_with_its_options(line):
    """Parsed exactly as typed, and not run."""
    command = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    context = command.make_context("maquette", list(words))
    while hasattr(context.command, "commands"):
        rest = context._protected_args + context.args
        name, inner, arguments = context.command.resolve_command(context, rest)
        context = inner.make_context(name, list(arguments), parent=context)
    assert context.command.name in words


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 5


def test_every_make_target_in_a_page_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    said = {
        target
        for page in PAGES
        for block in blocks(page, "sh")
        for target in re.findall(r"^make ([a-z-]+)", block, re.M)
    }
    assert said and said <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_resolve(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"[a-z]+:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_python_in_pages_uses_names_that_exist():
    import maquette

    for page in PAGES:
        for block in blocks(page, "python"):
            ast.parse(block)
            for name in re.findall(r"\bmaquette\.(\w+)\(", block):
                assert name in maquette.__all__


def test_the_readmes_tree_lists_every_folder():
    (tree,) = [block for block in blocks(ROOT / "README.md", "") if "src/maquette/" in block]
    folders = {file.relative_to(ROOT / "src/maquette").parts[0] for file in FILES if _inside(file)}
    assert set(re.findall(r"^  (\w+)/", tree, re.M)) == folders


def _inside(file: Path) -> bool:
    package = ROOT / "src/maquette"
    return file.is_relative_to(package) and len(file.relative_to(package).parts) > 1


def test_the_readmes_recipes_are_those_there_are():
    from maquette.recipes import shipped_recipes

    table = (ROOT / "README.md").read_text().partition("## Recipes")[2].partition("##")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.M)) == set(shipped_recipes())


def test_decisions_are_short_and_numbered_without_gaps():
    pages = sorted(page for page in PAGES if page.parent.name == "decisions")
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert len(text.splitlines()) < 40
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequences"))


def test_nothing_names_a_folder_of_one_machine():
    for file in FILES:
        if file.suffix in (".md", ".py", ".yaml", ".yml", ".toml", ".txt", "") and file.is_file():
            for number, line in enumerate(file.read_text().splitlines(), 1):
                assert not FOREIGN.search(line), f"{file.relative_to(ROOT)}:{number}: {line}"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_stay_short_and_say_what_they_are(file):
    text = file.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "begin with what the file is"
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert len(lines) <= MOST_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            said = (ast.get_docstring(node, clean=False) or "").count("\n")
            assert node.end_lineno is not None
            # Signatures and docstrings do not count: those of a command are its options and help.
            lines_of_body = node.end_lineno - node.body[0].lineno - said
            assert lines_of_body < MOST_FUNCTION_LINES, node.name
