"""What is to be translated, and where each result goes: one rule for names, no source overwritten.

A JPEG stays a JPEG, a PNG stays a PNG and a film in MP4 stays one, under the same name; everything
else becomes PNG or MP4, whose ending is added: `hut.webp.png`, `film.webm.mp4`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maquette.core.errors import RunError
from maquette.data.sources.videos import is_video

Kind = Literal["JPEG", "PNG", "MP4"]
ENDINGS: dict[str, Kind] = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".mp4": "MP4"}
_START_BYTES = 512
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Errand:
    """One file to translate."""

    source: Path
    out: Path
    kind: Kind  # of the result


def errands(source: Path, out: Path) -> list[Errand]:
    """Of a file or of all files below a folder, by path; hidden ones and `out` itself left out.

    `out` is a file where it has the ending of one and `source` is a file, else a folder. RunError
    when there is nothing to do, or a source would be overwritten.
    """
    try:
        if source.is_dir():
            if out.resolve() == source.resolve():
                raise _overwriting(out)
            found = [_errand(file, out / file.relative_to(source)) for file in _below(source, out)]
        else:
            found = [_only(source, out)]
    except OSError as error:
        raise RunError(f"{source} cannot be read ({(error.strerror or '').lower()})") from error
    if not found:
        raise RunError(f"{source} holds no file: give a picture, a film or a folder of them")
    sources = {errand.source.resolve() for errand in found}
    for errand in found:
        if errand.out.resolve() in sources:
            raise _overwriting(errand.out)
    if len({errand.out for errand in found}) < len(found):
        raise RunError(
            f"two files of {source} would get the same name in {out}: rename one of them"
        )
    return found


def _overwriting(out: Path) -> RunError:
    return RunError(f"{out} is a source and would be overwritten: choose another --out")


def _only(source: Path, out: Path) -> Errand:
    if out.suffix.lower() not in ENDINGS or out.is_dir():
        return _errand(source, out / source.name)
    kind, wanted = _errand(source, out).kind, ENDINGS[out.suffix.lower()]
    if (kind == "MP4") != (wanted == "MP4"):
        what, ending = ("film", ".mp4") if kind == "MP4" else ("picture", ".png or .jpg")
        raise RunError(f"{source} is a {what}: let --out end in {ending}, or give a folder")
    return Errand(source, out, wanted)


def _errand(source: Path, out: Path) -> Errand:
    with source.open("rb") as opened:
        start = opened.read(_START_BYTES)
    picture: Kind = "JPEG" if start.startswith(_JPEG) else "PNG"
    kind: Kind = "MP4" if is_video(start, source.name) else picture
    if ENDINGS.get(source.suffix.lower()) != kind:
        out = out.with_name(out.name + {"JPEG": ".jpg", "PNG": ".png", "MP4": ".mp4"}[kind])
    return Errand(source, out, kind)


def _below(folder: Path, out: Path) -> Iterator[Path]:
    ours = out.resolve()
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if file.is_file() and not hidden and ours not in file.resolve().parents:
            yield file
