"""Findings about how colours are stored, and about pictures without colour among coloured ones."""

from collections.abc import Iterable

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.findings.tones import is_dark
from maquette.data.pictures.looking import Facts
from maquette.data.pictures.tones import BLANK

_MODES = {  # Pillow's, as stored
    "cmyk": frozenset({"CMYK"}),
    "palette": frozenset({"P", "PA"}),
    "sixteen-bit": frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}),
    "transparent": frozenset({"RGBA", "LA", "PA", "La", "RGBa"}),
}
_ONE_CHANNEL = frozenset({"1", "L", "LA", "La"}) | _MODES["sixteen-bit"]
_MOST_COLOURLESS = 0.5  # share of the pictures; above it, grey is what the set is like


class Colours(Check):
    """Unusual ways to store colours are converted; grey among coloured pictures is reported."""

    kinds = (
        Kind(
            "greyscale",
            "warning",
            "Greyscale among coloured",
            "These pictures have no colour while most others have, so a model learns to make a few "
            "of its pictures grey.",
            "kept",
        ),
        Kind(
            "cmyk",
            "note",
            "CMYK colours",
            "These pictures are stored in the colours of a printing press.",
            "converted to RGB",
        ),
        Kind(
            "palette",
            "note",
            "Palette colours",
            "These pictures are stored with a table of at most 256 colours, so shades may be "
            "missing.",
            "converted to full colours",
        ),
        Kind(
            "sixteen-bit",
            "note",
            "More than 8 bits",
            "These pictures are stored in finer grey levels than a model is shown.",
            "scaled to 8 bits",
        ),
        Kind(
            "transparent",
            "note",
            "Transparent",
            "These pictures may have see-through parts, which a model cannot learn.",
            "put on white",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        for kind in self.kinds:
            marks = _greyscale(survey) if kind.name == "greyscale" else _stored(survey, kind.name)
            if marks:
                yield Finding(kind, marks)


def _stored(survey: Survey, name: str) -> tuple[Mark, ...]:
    return tuple(
        Mark(index, picture.facts.mode)
        for index, picture in enumerate(survey.pictures)
        if picture.facts and picture.facts.mode in _MODES[name]
        if not (name == "transparent" and _moving_webp(picture.facts))
    )


def _moving_webp(facts: Facts) -> bool:
    """Pillow opens every animated WebP with an alpha channel, whether or not it is transparent."""
    return facts.kind == "WEBP" and facts.frames > 1


def _greyscale(survey: Survey) -> tuple[Mark, ...]:
    readable = [(i, p.facts) for i, p in enumerate(survey.pictures) if p.facts]
    grey = [(index, facts) for index, facts in readable if facts.colourless]
    if len(grey) > _MOST_COLOURLESS * len(readable):
        return ()
    return tuple(
        Mark(index, "a single channel" if facts.mode in _ONE_CHANNEL else "no colour in it")
        for index, facts in grey
        if facts.mode in _ONE_CHANNEL or _colour_would_show(facts)
    )


def _colour_would_show(facts: Facts) -> bool:
    """A blank or a very dark picture has too little light and shade to be called grey."""
    return facts.contrast >= BLANK and not is_dark(facts)
