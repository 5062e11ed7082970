"""Translate pictures and films with a trained run: a file, or a folder with all below it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from maquette.core.devices import start_engine
from maquette.core.errors import DatasetError, RunError
from maquette.evaluation.flicker import Flicker
from maquette.networks.tiling import SMALLEST_PX
from maquette.runs.folder import Run, open_run
from maquette.workflows.translating_films import translate_film
from maquette.workflows.translating_networks import (
    PictureTranslator,
    Wish,
    direction_name,
    open_translator,
)
from maquette.workflows.translating_pictures import translate_picture
from maquette.workflows.translating_places import Errand, errands
from maquette.workflows.translating_progress import Journal

Report = Callable[[str, int, int | None], None]  # what is counted, done, of how many


@dataclass(frozen=True)
class Translated:
    """What came of it."""

    direction: str  # "horse-to-zebra"
    pictures: tuple[Path, ...] = ()
    films: tuple[Path, ...] = ()
    earlier: tuple[Path, ...] = ()  # made before an interruption
    frames: int = 0  # of the films
    flicker: Flicker = field(default_factory=Flicker)  # of the films
    remarks: tuple[str, ...] = ()  # what could not be translated, or not entirely


def _silent(_what: str, _done: int, _total: int | None) -> None:
    """Report to nobody."""


def translate(
    run: str | Path | Run,
    source: str | Path,
    out: str | Path | None = None,
    *,
    direction: str | None = None,
    strength: float = 1.0,
    stabilise: bool = False,
    size: int | Literal["native"] = "native",
    compare: bool = False,
    device: str = "auto",
    report: Report = _silent,
) -> Translated:
    """Translate a picture, a film or a folder of them with a run's served weights.

    Results go to `out`: a file where it ends like one, else a folder (RUN/translated when None) in
    which a folder's tree is kept. `direction` is "a-to-b", "b-to-a" or names such as
    "horse-to-zebra"; the first that the run learnt when None. `strength` 0 to 1 blends with the
    source. `size` reduces the shorter side to so many pixels first. `compare` puts the source at
    the left. `stabilise` lowers the flicker of films.

    Interrupted, the same call goes on where it stopped. In a folder, what cannot be translated is
    left out and remarked upon. Raises MaquetteError in one sentence when nothing can be done.
    """
    run = run if isinstance(run, Run) else open_run(run)
    out = run.folder / "translated" if out is None else Path(out)
    wish = Wish(strength, _shorter_px(size), compare, stabilise)
    todo = errands(Path(source), out)
    translator = open_translator(run, direction, strength, start_engine(device).device)
    name = direction_name(run, translator.direction)
    if not Path(source).is_dir():
        return _Work(translator, wish, report).file(todo[0], Translated(name))
    with Journal(out, translator, wish) as journal:
        return _Work(translator, wish, report).folder(todo, journal, Translated(name))


class _Work:
    """Errands with one translator."""

    def __init__(self, translator: PictureTranslator, wish: Wish, report: Report):
        self._translator, self._wish, self._report = translator, wish, report

    def file(self, errand: Errand, so_far: Translated) -> Translated:
        """One errand, added to what came of others."""
        if errand.kind != "MP4":
            translate_picture(errand, self._translator, self._wish)
            return replace(so_far, pictures=(*so_far.pictures, errand.out))
        told = partial(self._report, errand.source.name)
        done = translate_film(errand, self._translator, self._wish, told)
        return replace(
            so_far,
            films=(*so_far.films, errand.out),
            frames=so_far.frames + done.frames,
            flicker=so_far.flicker + done.flicker,
            remarks=(*so_far.remarks, *done.remarks),
        )

    def folder(self, todo: list[Errand], journal: Journal, so_far: Translated) -> Translated:
        """All errands; what cannot be read is left out."""
        before = [errand for errand in todo if journal.has(errand)]
        so_far = replace(so_far, earlier=tuple(errand.out for errand in before))
        for number, errand in enumerate((e for e in todo if e not in before), len(before)):
            self._report("files", number, len(todo))
            try:
                so_far = self.file(errand, so_far)
            except DatasetError as problem:
                so_far = replace(so_far, remarks=(*so_far.remarks, str(problem)))
            else:
                journal.add(errand)
        self._report("files", len(todo), len(todo))
        if not (so_far.pictures or so_far.films or so_far.earlier):
            raise RunError(f"nothing could be translated; the first reason: {so_far.remarks[0]}")
        return so_far


def _shorter_px(size: int | Literal["native"]) -> int | None:
    if size == "native":
        return None
    if size < SMALLEST_PX:
        raise RunError(f"--size {size}: give {SMALLEST_PX} pixels or more, or native")
    return size
