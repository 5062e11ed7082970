"""How pictures are shown to a family: the `data` part of a recipe."""

from maquette.core.settings import Settings


class DataSettings(Settings):
    """How pictures are shown to a family."""

    mirror: bool = False
    """Flip half of the pictures left to right: good for most photos, not for letters and digits."""
