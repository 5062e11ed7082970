"""One film translated: decoder, network and encoder at once, in constant memory, in stretches.

Beside the result lies a hidden folder with the finished stretches until all are there. What is
killed goes on from the last of them and ends in the same bytes as if nothing had happened: a
stretch depends on its frames, on the frame before it (kept too) and on the plan, on nothing else.
"""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from maquette.core.errors import RunError
from maquette.core.files import write_text
from maquette.data.pictures.content import Raster
from maquette.data.sources.frames import opened_film
from maquette.data.sources.identity import file_identity
from maquette.evaluation.flicker import Flicker, flicker_of_pair
from maquette.video.facts import FilmFacts, film_facts, timed_frames
from maquette.video.joining import Stretch, join
from maquette.video.stabilising import Past, Stabiliser
from maquette.video.stretches import StretchWriter
from maquette.video.threads import Behind, ahead, side_by_side
from maquette.workflows.translating_engines import choose_engine, use_engine
from maquette.workflows.translating_frames import Change, FrameChanger
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_places import Errand
from maquette.workflows.translating_quickly import torch_threads

FORMAT = 2
STRETCH_FRAMES = 96
_AHEAD_FRAMES, _BEHIND_TASKS = 8, 8
Report = Callable[[int, int | None], None]


@dataclass(frozen=True)
class FilmDone:
    """What there is to say of a translated film."""

    frames: int
    flicker: Flicker
    remarks: tuple[str, ...]  # what a person should hear


def translate_film(
    errand: Errand, translator: PictureTranslator, wish: Wish, report: Report
) -> FilmDone:
    """MaquetteError in one sentence when the file is no film or cannot be written."""
    facts, translator = film_facts(errand.source), translator.copy()
    changer = FrameChanger(facts, translator, wish)
    with _work_folder(errand.out) as folder, torch_threads(changer.threads_each):
        _prepare(folder, _plan(errand.source, translator, wish), translator, changer, facts.frames)
        with opened_film(errand.source) as film:
            done = _finished(folder)
            frames = timed_frames(film, facts, skip=sum(one["frames"] for one in done))
            with _changed(frames, changer) as coming, Behind(_BEHIND_TASKS) as behind:
                _Work(folder, facts, changer, wish.steady, report, behind).do(done, coming)
            damage = film.damage
        done = _finished(folder)
        whole = folder / "whole.mp4"
        stretches = [Stretch(folder / f"{i:06d}.mp4", one["ticks"]) for i, one in enumerate(done)]
        remarks = [f"{errand.source.name}: {loss}" for loss in facts.losses]
        remarks += join(stretches, errand.source, facts, whole)
        whole.replace(errand.out)
        shutil.rmtree(folder)
    if damage is not None:
        remarks.append(f"{errand.source.name}: {damage}")
    flicker = sum((Flicker(**one["flicker"]) for one in done), Flicker())
    return FilmDone(sum(one["frames"] for one in done), flicker, tuple(remarks))


@contextmanager
def _changed(
    frames: Iterator[tuple[int, Raster]], changer: FrameChanger
) -> Iterator[Iterator[list[tuple[int, Change]]]]:
    """Batches of frames with their times, translated side by side; each lies in one stretch."""
    size = math.gcd(changer.batch_frames, STRETCH_FRAMES)

    def translated(batch: list[tuple[int, Raster]]) -> list[tuple[int, Change]]:
        changes = changer.translated([raster for _, raster in batch])
        return [(ticks, change) for (ticks, _), change in zip(batch, changes, strict=True)]

    # Sums depend on how many threads share them, and a thread does not begin with torch's number.
    begin = partial(torch.set_num_threads, changer.threads_each)
    with (
        ahead(frames, _AHEAD_FRAMES) as coming,
        side_by_side(translated, _batches(coming, size), changer.passes_at_once, begin) as changed,
    ):
        yield changed


class _Work:
    """From changed frames to finished stretches."""

    def __init__(
        self,
        folder: Path,
        facts: FilmFacts,
        changer: FrameChanger,
        steady: bool,
        report: Report,
        behind: Behind,
    ):
        self._folder, self._facts, self._report, self._behind = folder, facts, report, behind
        self._changer, self._steady = changer, steady
        self._done = 0

    def do(self, done: list[dict[str, Any]], coming: Iterator[list[tuple[int, Change]]]) -> None:
        """Every stretch after those that are done."""
        self._done = sum(one["frames"] for one in done)
        self._report(self._done, self._facts.frames)
        past = _load_past(self._name(len(done) - 1).with_suffix(".npz")) if done else None
        for number in count(len(done)):
            first = next(coming, None)
            if first is None:
                break
            past = self._stretch(number, first, coming, past)
        self._behind.finish()

    def _stretch(
        self,
        number: int,
        batch: list[tuple[int, Change]] | None,
        coming: Iterator[list[tuple[int, Change]]],
        past: Past | None,
    ) -> Past | None:
        """One of them, from its first batch on; what the next one must remember."""
        name = self._name(number)
        writer = StretchWriter(name.with_suffix(".part"), self._facts)
        stabiliser = Stabiliser(self._steady, past, self._changer.device)
        flicker, ticks = Flicker(), list[int]()
        while batch:
            for at, change in batch:
                shown, moved = stabiliser(change.source, change.made)
                if moved is not None:
                    flicker += flicker_of_pair(
                        moved.source,
                        moved.source_before,
                        moved.made,
                        moved.made_before,
                        moved.within,
                    )
                self._behind.do(partial(writer.add, at, self._changer.composed(change, shown)))
                ticks.append(at)
            self._done += len(batch)
            self._report(self._done, self._facts.frames)
            batch = next(coming, None) if len(ticks) < STRETCH_FRAMES else None
        facts = {"frames": len(ticks), "ticks": ticks[0], "flicker": asdict(flicker)}
        self._behind.do(partial(_finish, name, writer, stabiliser.past, facts))
        return stabiliser.past

    def _name(self, number: int) -> Path:
        return self._folder / f"{number:06d}"


def _finish(name: Path, writer: StretchWriter, past: Past | None, facts: dict[str, Any]) -> None:
    """The JSON comes last: where it is, the stretch is whole."""
    assert past is not None
    writer.close()
    name.with_suffix(".part").replace(name.with_suffix(".mp4"))
    with name.with_suffix(".npz").open("wb") as file:
        np.savez(file, source=past.source.numpy(), made=past.made.numpy())
    write_text(name.with_suffix(".json"), json.dumps(facts))
    before = name.with_name(f"{int(name.name) - 1:06d}.npz")
    before.unlink(missing_ok=True)  # only the last is ever asked for


def _load_past(file: Path) -> Past:
    with np.load(file, allow_pickle=False) as saved:
        return Past(torch.from_numpy(saved["source"]), torch.from_numpy(saved["made"]))


def _finished(folder: Path) -> list[dict[str, Any]]:
    """The facts of all stretches from the first without a gap."""
    found: list[dict[str, Any]] = []
    for number in count():
        facts = _read(folder / f"{number:06d}.json")
        if facts is None:
            return found
        found.append(facts)
    raise AssertionError("counting does not end")


def _prepare(
    folder: Path,
    plan: dict[str, Any],
    translator: PictureTranslator,
    changer: FrameChanger,
    frames: int | None,
) -> None:
    """Let the film be made by the engine it was begun with; what follows another plan goes."""
    before, (height, width) = _read(folder / "plan.json"), changer.picture_size
    if before is not None and before == plan | {"engine": before.get("engine")}:
        use_engine(translator, before["engine"], height, width)
        return
    for old in folder.glob("[0-9p]*"):
        old.unlink()
    engine = choose_engine(translator, height, width, frames)
    write_text(folder / "plan.json", json.dumps(plan | {"engine": engine}))


def _plan(file: Path, translator: PictureTranslator, wish: Wish) -> dict[str, Any]:
    """Everything that decides what the frames become."""
    return {
        "format": FORMAT,
        "source": file_identity(file),
        "weights": translator.identity,
        "direction": translator.direction,
        "largest_px": translator.largest_px,
        "device": str(translator.device),
        "threads": torch.get_num_threads(),
        **asdict(wish),
    }


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """A hidden folder beside the result, for one process; gone again where nothing was finished."""
    folder = out.with_name(f".{out.name}.translating")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise RunError(f"{out} is being made by another process: wait for it, or stop it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{out} cannot be written ({reason}): choose another --out") from error
    try:
        yield folder
    finally:
        lock.release()
        if folder.is_dir() and not any(folder.glob("*.json")):
            shutil.rmtree(folder)


def _batches(frames: Iterator[tuple[int, Raster]], size: int) -> Iterator[list[tuple[int, Raster]]]:
    while batch := list(islice(frames, size)):
        yield batch
