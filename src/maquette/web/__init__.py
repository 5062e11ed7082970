"""What runs in a browser: modules, styles and a page, as files that need no building."""

from importlib import resources


def asset(name: str) -> str:
    """The text of a file in assets/."""
    return (resources.files(__name__) / "assets" / name).read_text(encoding="utf-8")
