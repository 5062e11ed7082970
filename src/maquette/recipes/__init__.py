"""The recipes that come with Maquette, as text: listing them needs nothing heavy."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from maquette.core.errors import SettingsError, unknown_name


def recipe_text(name_or_path: str) -> str:
    """The YAML of a shipped recipe or of a file, comments included."""
    shipped = shipped_recipes()
    if name_or_path in shipped:
        return shipped[name_or_path].read_text(encoding="utf-8")
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the recipe {path} cannot be read: {_reason(error)}") from error
    raise SettingsError(unknown_name("recipe", name_or_path, sorted(shipped)))


def shipped_recipes() -> dict[str, Traversable]:
    """The recipes that come with Maquette, by name."""
    folder = resources.files(__name__)
    found = {f.name.removesuffix(".yaml"): f for f in folder.iterdir() if f.name.endswith(".yaml")}
    return dict(sorted(found.items()))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or "it is not a text file").lower()
