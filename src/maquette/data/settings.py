"""How pictures are shown to a family: the `data` part of a recipe."""

from pydantic import Field

from maquette.core.settings import Settings


class StrokeSettings(Settings):
    """How drawings are changed, anew in every batch; for datasets that keep their pen strokes."""

    partial: float = Field(default=0.0, ge=0, le=1)
    """Probability that a drawing ends early, after a random share of its points: for answers while
    one still draws."""
    drop_stroke: float = Field(default=0.0, ge=0, lt=1)
    """Probability that a stroke is left out; one of each drawing always stays."""
    jitter: float = Field(default=0.0, ge=0, le=0.5)
    """How far points are moved at most, as a share of the drawing's longer side."""

    @property
    def change(self) -> bool:
        """Whether any drawing is changed at all."""
        return max(self.partial, self.drop_stroke, self.jitter) > 0


class DataSettings(Settings):
    """How pictures are shown to a family."""

    label: str | None = None
    """Which of a dataset's label columns to learn, where it has several; null takes the first."""

    mirror: bool = False
    """Flip half of the pictures left to right: good for most photos, not for letters and digits."""

    shift: float = Field(default=0.0, ge=0, le=0.25)
    """Move pictures by up to this share of their sides, either way, with edges mirrored outwards:
    good for textures and scenes, for translators above all."""

    balance_classes: bool = False
    """Show every class equally often, however many pictures it has; those of small classes are then
    seen more often."""

    domains: tuple[str, str] | None = None
    """For translators: the two classes to go between, from the first to the second; null takes
    those of a dataset that has exactly two."""

    strokes: StrokeSettings = StrokeSettings()
    """How drawings are changed in training."""
