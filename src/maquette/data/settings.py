"""How pictures are shown to a family: the `data` part of a recipe."""

from maquette.core.settings import Settings


class DataSettings(Settings):
    """How pictures are shown to a family."""

    mirror: bool = False
    """Flip half of the pictures left to right: good for most photos, not for letters and digits."""

    domains: tuple[str, str] | None = None
    """For translators: the two classes to go between, from the first to the second; null takes
    those of a dataset that has exactly two."""
