"""Name the class of pictures and drawings with a trained run."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from maquette.core.devices import start_engine
from maquette.core.errors import DatasetError, RunError
from maquette.core.family import Classifies
from maquette.core.files import write_text
from maquette.core.images import to_float
from maquette.data.pictures.looking import Bench
from maquette.data.sources.opening import PICTURE_ENDINGS, open_source
from maquette.data.sources.source import Item
from maquette.runs.folder import Run, open_run
from maquette.workflows.serving import as_learnt, preparation_of, reads_drawings

BATCH = 64
Report = Callable[[int, int | None], None]  # pictures done, of how many


@dataclass(frozen=True)
class Answer:
    """What a run says of one picture."""

    source: str  # where it came from
    classes: tuple[str, ...]  # the surest first; empty for what cannot be read
    probabilities: tuple[float, ...]  # of these
    told: str | None = None  # the class that the source itself names, where the run knows it
    fault: str = ""  # why it cannot be read


def classify(
    run: str | Path | Run,
    sources: Sequence[str | Path],
    *,
    top: int = 3,
    device: str = "auto",
    report: Report = lambda done, total: None,  # noqa: ARG005
) -> list[Answer]:
    """The `top` classes of every picture, prepared exactly as those the run learnt from.

    `sources` are pictures, or anything that `data build` reads: folders, archives, drawings.
    A drawing dark on bright paper is turned over for a run that learnt bright on dark. What cannot
    be read is answered with its fault. Raises RunError when the run tells no classes apart, and
    DatasetError when a source cannot be read.
    """
    run = run if isinstance(run, Run) else open_run(run)
    target = start_engine(device).device
    family = run.served_family(str(target))
    if not isinstance(family, Classifies):
        raise RunError(f"{run.folder} holds a {run.recipe.family}, which does not name classes")
    bench, turns_over = preparation_of(run), reads_drawings(run)
    items, total = read_items(sources)
    answers: list[Answer] = []
    while part := list(islice(items, BATCH)):
        answers += _answered(family, bench, turns_over, part, top, target)
        report(len(answers), total)
    if not answers:
        raise DatasetError(f"{' and '.join(map(str, sources))} holds no pictures to classify")
    return answers


def save_answers(answers: Sequence[Answer], file: str | Path) -> Path:
    """As CSV, a row for each picture and columns for each place, or as JSON, by the file's name.

    RunError when it cannot be written.
    """
    path = Path(file)
    if path.suffix.lower() not in (".csv", ".json"):
        raise RunError(f"{path} is neither a .csv nor a .json file: name one of these")
    try:
        if path.suffix.lower() == ".json":
            write_text(path, json.dumps([asdict(a) for a in answers], indent=2, ensure_ascii=False))
        else:
            write_text(path, _csv(answers))
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror})") from error
    return path


def read_items(sources: Sequence[str | Path]) -> tuple[Iterator[Item], int | None]:
    """Every picture there is, single files among them, and how many, where that is known."""
    opened = [_opened(Path(source), str(source)) for source in sources]
    counts = [count for _, count in opened]
    total = None if None in counts else sum(count for count in counts if count is not None)
    return (item for items, _ in opened for item in items), total


def _opened(path: Path, text: str) -> tuple[Iterator[Item], int | None]:
    if not path.is_dir() and path.suffix.lower() in PICTURE_ENDINGS:
        try:
            return iter([Item(path.name, content=path.read_bytes())]), 1
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise DatasetError(f"{path} cannot be read: {reason}") from None
    source = open_source(text)
    return source.items(), source.count()


def _answered(
    family: Classifies,
    bench: Bench,
    turns_over: bool,
    items: Sequence[Item],
    top: int,
    device: torch.device,
) -> list[Answer]:
    """One batch; faults keep their places."""
    faults: list[str] = []
    seen: list[np.ndarray] = []
    for item in items:
        look = None if item.content is None else bench.look(item.content, item.box)
        fault = item.fault if look is None else look.fault
        faults.append("" if fault is None else fault.reason)
        if look is not None and look.pixels is not None:
            assert item.content is not None
            seen.append(as_learnt(look.pixels, item.content, bench, turns_over))
    ranked: Iterator[tuple[list[float], list[int]]] = iter(())
    if seen:
        pixels = torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2).to(device)
        with torch.inference_mode():
            best = family.classify(to_float(pixels)).topk(min(top, len(family.spec.classes)))
        ranked = iter(zip(best.values.tolist(), best.indices.tolist(), strict=True))
    classes = family.spec.classes
    answers = []
    for item, why in zip(items, faults, strict=True):
        sure, numbers = ([], []) if why else next(ranked)
        told = item.label if item.label is not None else next(reversed(item.folders), None)
        answers.append(
            Answer(
                item.source,
                tuple(classes[number] for number in numbers),
                tuple(sure),
                told if told in classes else None,
                why,
            )
        )
    return answers


def _csv(answers: Sequence[Answer]) -> str:
    most = max(len(answer.classes) for answer in answers)
    places = [name for i in range(1, most + 1) for name in (f"class_{i}", f"probability_{i}")]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["source", *places, "told", "fault"])
    for answer in answers:
        pairs = zip(answer.classes, answer.probabilities, strict=True)
        flat = [value for name, sure in pairs for value in (name, f"{sure:.6f}")]
        flat += [""] * (2 * most - len(flat))
        rows.writerow([answer.source, *flat, answer.told or "", answer.fault])
    return text.getvalue()
