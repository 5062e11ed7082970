"""Judge a finished run: every metric it can be measured by, with floor, ceiling and uncertainty."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from maquette.core.devices import start_engine
from maquette.core.errors import RunError, unknown_name
from maquette.core.family import Generates
from maquette.core.files import write_text
from maquette.core.images import Labels, Pixels
from maquette.core.pictures import grid, save_png
from maquette.core.randomness import derived_seed
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.evaluation.evidence import Evidence, Seen
from maquette.evaluation.features import (
    FeatureCache,
    FeatureExtractor,
    FeatureKey,
    Features,
    cache_folder,
)
from maquette.evaluation.metric import Measurement
from maquette.evaluation.metrics.known import metrics_for
from maquette.evaluation.metrics.memory import copies_in_features
from maquette.runs.evaluations import BEST, EVALUATION, LAST, SELECTED, Column
from maquette.runs.folder import Run, open_run
from maquette.runs.scoring import generate_pixels
from maquette.training.checkpoints import Entry, fault_in
from maquette.workflows.feature_choice import open_features
from maquette.workflows.generating import LARGEST_BATCH, seeds_of

FORMAT = 2
MANY_PICTURES, FEW_PICTURES = 5000, 1000  # made; few where there are few real ones:
FEW_REAL = 2000
FEWEST, FEWEST_HELD_OUT = 8, 2  # pictures on each side of a distance; kept aside
FIRST_SEED = 10_000  # far from those that people ask for, so that nobody picked what is judged
NEIGHBOUR_ROWS = 12  # pictures on the panel of neighbours
NEIGHBOURS = "neighbours.png"

Report = Callable[[str, int, int | None], None]  # stage, done, in all


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured of a run; the first column is what it serves."""

    run: Run
    columns: tuple[Column, ...]
    neighbours: Path | None  # pictures beside the training pictures nearest to them


def _silent(_stage: str, _done: int, _total: int | None) -> None:
    """Report to nobody."""


def evaluate(
    run: str | Path | Run,
    *,
    checkpoint: str = "best",
    metrics: Sequence[str] = (),
    features: str | None = None,
    count: int | None = None,
    device: str = "auto",
    report: Report = _silent,
) -> Evaluation:
    """Measure a run against its dataset; written into `evaluation.json` and `neighbours.png`.

    `checkpoint` is "best" (selected on held-out pictures: what the run serves), "last", or "all",
    which measures every checkpoint kept and adds a column "best of run": the best number of each
    kind, which flatters. `features` names the network (see `open_features`), `count` how many
    pictures are made: 5,000, or 1,000 where there are fewer than 2,000 real ones. Real pictures'
    features are cached. Raises MaquetteError in one sentence for anything a person can mend.
    """
    run = run if isinstance(run, Run) else open_run(run)
    target = str(start_engine(device).device)
    chosen = _entries(run, checkpoint)
    judge = _Judge(run, open_features(features), count, report)
    measured: dict[int, Column] = {}  # what is selected may be the last as well
    for name, entry in chosen:
        if entry.step not in measured:
            measured[entry.step] = judge.column(name, entry, target, metrics)
    columns = [replace(measured[entry.step], name=name) for name, entry in chosen]
    if checkpoint == "all":
        columns.append(best_of(columns))
    evaluation = Evaluation(run, tuple(columns), judge.panel)
    _write(evaluation, judge.count)
    return evaluation


def best_of(columns: Sequence[Column]) -> Column:
    """The best number of each kind over all columns, wherever it was: it flatters, and says so."""
    best: dict[str, Measurement] = {}
    for column in columns:
        for found in column.measurements:
            known = best.get(found.name)
            if known is None or _goodness(found) > _goodness(known):
                step = "" if column.step is None else f" at step {column.step:,}"
                note = f"the best of {len(columns)} checkpoints{step}: chosen by the number itself"
                best[found.name] = replace(found, note=note)
    return Column(BEST, None, tuple(best.values()))


def _goodness(found: Measurement) -> float:
    """The larger the better: how far from the floor towards the ceiling."""
    if found.floor is None or found.ceiling is None or found.floor == found.ceiling:
        return found.value
    return (found.value - found.floor) / (found.ceiling - found.floor)


class _Judge:
    """Holds what is the same for all checkpoints of a run: real pictures, noise, their features."""

    def __init__(
        self, run: Run, extractor: FeatureExtractor, count: int | None, report: Report
    ) -> None:
        self.run, self.extractor, self.report = run, extractor, report
        self.cache = FeatureCache(cache_folder())
        self.train_set, self.holdout_set = (
            open_dataset(run.dataset_path, split) for split in ("train", "holdout")
        )
        real = len(self.train_set) + len(self.holdout_set)
        self.count = count or (MANY_PICTURES if real >= FEW_REAL else FEW_PICTURES)
        if min(self.count, real // 2) < FEWEST or len(self.holdout_set) < FEWEST_HELD_OUT:
            raise RunError(
                f"{run.folder} cannot be measured with {self.count} pictures made, {real} real and "
                f"{len(self.holdout_set)} of them kept aside: {FEWEST}, {2 * FEWEST} and "
                f"{FEWEST_HELD_OUT} are the least"
            )
        self.train, self.holdout = (
            self._real(dataset, name)
            for dataset, name in ((self.train_set, "train"), (self.holdout_set, "holdout"))
        )
        key = self._key(self.train_set, "train mirrored", len(self.train))
        self.mirrored = self.cache.cached(
            key, lambda: self._seen(self.train.pixels.flip(-1), "features of mirrored pictures")
        )
        self.noise = self._noise()
        self.panel: Path | None = None

    def column(self, name: str, entry: Entry, device: str, metrics: Sequence[str]) -> Column:
        """One checkpoint, measured."""
        family = self.run.family_at(entry, device)
        wanted = metrics_for(family, metrics)
        if not wanted:
            raise RunError(
                f"{self.run.folder} holds a {self.run.recipe.family}, which none of these metrics "
                "can measure"
            )
        assert isinstance(family, Generates)
        evidence = self._evidence(family)
        found: list[Measurement] = []
        for number, metric in enumerate(wanted):
            self.report(f"measuring {metric.name}", number, len(wanted))
            found.extend(metric.measure(evidence))
        self.report("measuring", len(wanted), len(wanted))
        if self.panel is None:
            self.panel = self._draw_neighbours(evidence)
        return Column(name, entry.step, tuple(found))

    def _evidence(self, family: Generates) -> Evidence:
        spec = self.run.spec
        numbers = range(FIRST_SEED, FIRST_SEED + self.count)
        labels = None
        if spec.classes:
            labels = torch.arange(self.count) % len(spec.classes)
        pixels = self._generated(family, labels, numbers)
        made = Seen(pixels, self._seen(pixels, "features of generated pictures"), labels)
        about = self.extractor
        words = f"{about.name}, weights {about.weights_sha256[:12]}, resized {about.resizer}"
        return Evidence(
            generated=made,
            noise=self.noise,
            train=self.train,
            holdout=self.holdout,
            mirrored=self.mirrored,
            features=words,
            network=about.name,
            classes=spec.classes,
        )

    def _generated(self, family: Generates, labels: Labels | None, numbers: range) -> Pixels:
        """One picture a seed, batch by batch, on the CPU."""
        device = next(family.parameters()).device
        made = []
        for start in range(0, len(numbers), LARGEST_BATCH):
            part = slice(start, start + LARGEST_BATCH)
            chosen = None if labels is None else labels[part].to(device)
            seeds = seeds_of(numbers[part]).to(device)
            made.append(generate_pixels(family, chosen, seeds, LARGEST_BATCH))
            self.report("generating", min(part.stop, len(numbers)), len(numbers))
        return torch.cat(made)

    def _real(self, dataset: ImageDataset, split: str) -> Seen:
        pixels = dataset.pictures(torch.arange(len(dataset))).cpu()
        key = self._key(dataset, split, len(pixels))
        features = self.cache.cached(key, lambda: self._seen(pixels, f"features of {split}"))
        return Seen(pixels, features, None if dataset.labels is None else dataset.labels.cpu())

    def _noise(self) -> Seen:
        """As many pictures of nothing as are made: every value drawn by itself."""
        spec = self.run.spec
        shape = (self.count, spec.channels, spec.height, spec.width)
        random = torch.Generator().manual_seed(derived_seed(0, "pictures of noise"))
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
        key = FeatureKey(f"noise {shape}", "noise", self.extractor.key, self.count)
        features = self.cache.cached(key, lambda: self._seen(pixels, "features of noise"))
        labels = torch.arange(self.count) % len(spec.classes) if spec.classes else None
        return Seen(pixels, features, labels)

    def _key(self, dataset: ImageDataset, split: str, count: int) -> FeatureKey:
        return FeatureKey(dataset.fingerprint, split, self.extractor.key, count)

    def _seen(self, pixels: Pixels, stage: str) -> Features:
        return self.extractor(pixels, partial(self.report, stage))

    def _draw_neighbours(self, evidence: Evidence) -> Path | None:
        """The pictures most like copies, each beside its nearest training picture."""
        if min(len(evidence.train), len(evidence.holdout)) < 2:
            return None
        found = copies_in_features(evidence)
        worst = found.score.argsort()[:NEIGHBOUR_ROWS]
        pairs = torch.stack(
            [evidence.generated.pixels[worst], evidence.train.pixels[found.nearest_index[worst]]], 1
        )
        path = self.run.folder / NEIGHBOURS
        save_png(grid(pairs.flatten(0, 1), columns=6), path)
        return path


def _entries(run: Run, checkpoint: str) -> list[tuple[str, Entry]]:
    """The checkpoints to measure, named as their columns are; the served one first."""
    known = ("best", "last", "all")
    if checkpoint not in known:
        raise RunError(unknown_name("checkpoint", checkpoint, list(known)))
    served = run.served().entry
    sound = [e for e in run.checkpoints.entries() if e.step > 0 and fault_in(e) is None]
    last = max(sound, key=lambda entry: entry.step)
    if checkpoint == "last":
        return [(LAST, last)]
    columns = [(SELECTED, served)]
    if checkpoint == "all":
        columns += [(LAST, last)]
        others = [e for e in sound if e.step not in (served.step, last.step)]
        columns += [(f"step {entry.step:,}", entry) for entry in others]
    return columns


def _write(evaluation: Evaluation, count: int) -> None:
    columns = [
        {"name": c.name, "step": c.step, "measurements": [asdict(m) for m in c.measurements]}
        for c in evaluation.columns
    ]
    content = {
        "format": FORMAT,
        "pictures": count,
        "columns": columns,
        "measurements": columns[0]["measurements"],
    }
    path = evaluation.run.folder / EVALUATION
    try:
        write_text(path, json.dumps(content, indent=2))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path} cannot be written ({reason})") from error
