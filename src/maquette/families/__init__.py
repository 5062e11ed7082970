"""Model families: one file each. The file's name is the family's name in a recipe."""

import importlib
import pkgutil
from typing import cast

from maquette.core.errors import SettingsError, unknown_name
from maquette.core.family import Family


def available_families() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def family_class(name: str) -> type[Family]:
    """The class that families/<name>.py calls `family`; SettingsError for a name nobody knows."""
    if name not in available_families():
        raise SettingsError(unknown_name("family", name, available_families()))
    return cast(type[Family], importlib.import_module(f"{__name__}.{name}").family)
