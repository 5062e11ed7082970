"""Findings about the geometry of single pictures: turned, small, long and narrow, with bars."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from maquette.data.findings.finding import Check, Finding, Kind, Mark, Survey
from maquette.data.pictures.content import Box
from maquette.data.pictures.looking import Facts

EXTREME = 2.5  # times longer or wider than the dataset's own proportion; "cover" then loses 60 %
_TINY_PX = 64  # shorter side; below it there is little to learn from in a set of photos
_FAR_BELOW = 4  # times smaller than usual in the set
_MOST = 0.5  # of a set; when more are too small, it is the size that is wrong
_LARGE_ENOUGH_PX = 256  # never too small without a planned size
_TURNED = {  # EXIF orientations (CIPA DC-008, table 6), as what is done to a picture
    2: "mirrored",
    3: "turned by 180°",
    4: "mirrored and turned by 180°",
    5: "mirrored and turned by 270°",
    6: "turned by 90°",
    7: "mirrored and turned by 90°",
    8: "turned by 270°",
}


class Shapes(Check):
    """Rotations and bars are mended, the rest is reported."""

    kinds = (
        Kind(
            "too-small",
            "warning",
            "Too small",
            "These pictures are smaller than the size planned, or much smaller than the others, so "
            "they are enlarged and a model learns their blur.",
            "kept, enlarged",
        ),
        Kind(
            "extreme-shape",
            "warning",
            "Extreme shapes",
            "These pictures are so long or so tall that most of each is cut off or padded.",
            "kept, fitted like all others",
        ),
        Kind(
            "bars",
            "warning",
            "Bars at the edges",
            "These pictures have bars of one colour along their edges, which a model would paint "
            "too.",
            "cropped, unless bars are to be kept",
        ),
        Kind(
            "rotated",
            "note",
            "Rotated by a camera",
            "These pictures lie on their side in the file, with a note of the camera how to turn "
            "them.",
            "turned upright",
        ),
        Kind(
            "animated",
            "note",
            "Animated",
            "These files hold several frames, like a GIF.",
            "only the first frame is used",
        ),
    )

    def findings(self, survey: Survey) -> Iterable[Finding]:
        usual = _usual(survey)
        details: dict[str, Callable[[Facts], str | None]] = {
            "too-small": usual.too_small,
            "extreme-shape": usual.extreme_shape,
            "bars": _bars,
            "rotated": lambda facts: _TURNED.get(facts.orientation),
            "animated": lambda facts: f"{facts.frames} frames" if facts.frames > 1 else None,
        }
        readable = sum(picture.facts is not None for picture in survey.pictures)
        for kind in self.kinds:
            marks = tuple(_marked(survey, details[kind.name]))
            if kind.name == "too-small" and len(marks) > _MOST * readable:
                remark = (
                    f"{len(marks):,} of {readable:,}: the size planned is larger than the set's"
                )
                yield Finding(kind, (), remark)
            elif marks:
                yield Finding(kind, marks)


def _marked(survey: Survey, detail: Callable[[Facts], str | None]) -> Iterator[Mark]:
    for index, picture in enumerate(survey.pictures):
        text = detail(picture.facts) if picture.facts else None
        if text is not None:
            yield Mark(index, text)


def _inner(facts: Facts) -> tuple[int, int]:
    """Height and width without bars, pixels."""
    box = facts.box or Box(0, 0, facts.width, facts.height)
    return box.bottom - box.top, box.right - box.left


@dataclass(frozen=True)
class _Usual:
    """What pictures of this set are measured against."""

    least_height: float  # pixels
    least_width: float  # pixels
    proportion: float  # width to height

    def too_small(self, facts: Facts) -> str | None:
        height, width = _inner(facts)
        small = height < self.least_height or width < self.least_width
        # Strokes are drawn in any size.
        return f"{width} × {height} px" if small and facts.kind != "drawing" else None

    def extreme_shape(self, facts: Facts) -> str | None:
        height, width = _inner(facts)
        proportion = width / height
        ratio = max(proportion / self.proportion, self.proportion / proportion)
        return f"{width} × {height} px" if ratio > EXTREME else None


def _usual(survey: Survey) -> _Usual:
    if survey.size is not None:
        height, width = survey.size.height, survey.size.width
        return _Usual(height, width, width / height)
    inner = [_inner(picture.facts) for picture in survey.pictures if picture.facts]
    if not inner:
        return _Usual(0, 0, 1)
    middle = median(min(size) for size in inner)
    # Sets of small pictures are small on purpose, so an absolute limit holds only for others.
    least = max(middle / _FAR_BELOW, min(_TINY_PX, middle / 2))
    least = min(least, _LARGE_ENOUGH_PX)
    return _Usual(least, least, median(width / height for height, width in inner))


def _bars(facts: Facts) -> str | None:
    if facts.box is None:
        return None
    left, top, right, bottom = facts.box
    widths = {
        "above": top,
        "below": facts.height - bottom,
        "left": left,
        "right": facts.width - right,
    }
    return ", ".join(f"{width} px {where}" for where, width in widths.items() if width)
