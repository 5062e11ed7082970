"""Looks at every picture of a folder and gathers the survey, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from maquette.data.findings.finding import Check, Finding, Survey, Surveyed
from maquette.data.findings.thumbnails import Thumbnails
from maquette.data.pictures.looking import Bench, Facts
from maquette.data.sizes import ImageSize
from maquette.data.sources.folders import FolderSource
from maquette.data.sources.source import Item


@dataclass(frozen=True)
class KeptThumbnails(Thumbnails):
    """In memory."""

    jpegs: Sequence[bytes]

    def jpeg(self, picture: int) -> bytes:
        return self.jpegs[picture]


def survey_of(items: Iterable[Item], size: ImageSize | None = None) -> Survey:
    bench = Bench(size=None)
    pictures, jpegs = [], []
    for item in items:
        assert item.content is not None or item.fault is not None
        facts, fault, jpeg = None, item.fault, b""
        if item.content is not None:
            look = bench.look(item.content, item.box)
            facts, fault, jpeg = look.facts, look.fault, look.thumbnail
        pictures.append(Surveyed(item.source, item.folders, item.label, facts, fault))
        jpegs.append(jpeg)
    return Survey(pictures, KeptThumbnails(jpegs), size)


@cache
def survey_folder(folder: Path) -> Survey:
    return survey_of(FolderSource(folder, open_file=lambda file: None).items())


def marked(survey: Survey, findings: Iterable[Finding]) -> dict[str, set[str]]:
    """Sources by the kind of finding."""
    return {
        finding.kind.name: {survey.pictures[mark.picture].source for mark in finding.marks}
        for finding in findings
    }


def found(survey: Survey, *checks: Check) -> dict[str, set[str]]:
    return marked(survey, [finding for check in checks for finding in check.findings(survey)])


def sized(survey: Survey, height: int, width: int) -> Survey:
    return replace(survey, size=ImageSize(height, width))


FACTS = Facts(  # of an ordinary photo
    sha256="",
    height=300,
    width=400,
    kind="JPEG",
    mode="RGB",
    orientation=1,
    frames=1,
    box=None,
    colourless=False,
    brightness=120.0,
    contrast=200.0,
    sharpness=0.6,
    hash=0,
    mirrored_hash=0,
)


def surveyed(*facts: Facts, thumbnails: Sequence[bytes] = ()) -> Survey:
    """Pictures that exist as facts only, each with bytes of its own."""
    pictures = [
        Surveyed(f"{index}.jpg", (), None, replace(one, sha256=str(index)), None)
        for index, one in enumerate(facts)
    ]
    return Survey(pictures, KeptThumbnails(thumbnails or [b""] * len(facts)))
