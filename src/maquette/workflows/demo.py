"""The first ten minutes: learn to write digits, and say honestly how well it went."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from maquette.core.errors import DatasetError
from maquette.core.files import write_text
from maquette.core.images import Pixels
from maquette.core.pictures import grid, save_png
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.evaluation.label_agreement import class_spread, label_agreement, train_reader
from maquette.evaluation.metric import Measurement
from maquette.evaluation.metrics.classes import spread_inside_classes
from maquette.runs.folder import Run
from maquette.runs.report import write_report
from maquette.workflows.datasets import build_dataset
from maquette.workflows.generating import generate
from maquette.workflows.training import TrainingResult, Watchers, train

RECIPE = "digits"
SOURCE = "builtin:digits"
SIZE_PX = 16
JUDGED_PICTURES = 1000


@dataclass(frozen=True)
class DemoResult:
    """What the demo made."""

    training: TrainingResult
    samples: Path | None = None
    report: Path | None = None
    measurements: tuple[Measurement, ...] = ()


def demo(
    out: str | Path = "runs/demo",
    *,
    overrides: Sequence[str] = (),
    watchers: Watchers | None = None,
) -> DemoResult:
    """Build the digits, train the `digits` recipe on them, judge it and draw its report.

    Called again it continues; every part that is done already is kept.
    """
    out = Path(out)
    data = out.parent / f"{out.name}-data"
    if not (data / "dataset.json").exists():
        build_dataset([SOURCE], data, SIZE_PX)
    training = train(RECIPE, data, out, overrides=overrides, watchers=watchers)
    if training.outcome == "interrupted":
        return DemoResult(training)
    measurements = judge_classes(training.run)
    samples = draw_samples(training.run)
    return DemoResult(training, samples, write_report(training.run.folder), tuple(measurements))


def draw_samples(run: Run, each: int = 10) -> Path:
    """samples.png: a row for each class, the same seeds in every row."""
    classes = run.spec.classes
    asked = [name for name in classes for _ in range(each)]
    made = generate(run, classes=asked, seeds=list(range(each)) * len(classes))
    path = run.folder / "samples.png"
    save_png(grid(made.pixels, each, row_names=classes), path)
    return path


def judge_classes(run: Run) -> list[Measurement]:
    """Is each picture of the class asked for, and are those of a class varied? To evaluation.json.

    An independent classifier, trained on the real pictures alone, reads the generated ones.
    """
    real, labels = _all_pictures(run.dataset_path)
    reader = train_reader(real, labels)
    made = generate(run, JUDGED_PICTURES, seeds=range(10_000, 10_000 + JUDGED_PICTURES))
    asked = torch.tensor([run.spec.classes.index(name) for name in made.classes])
    spreads = class_spread(real, labels, made.pixels, asked)
    measurements = [
        label_agreement(reader, made.pixels, asked),
        spread_inside_classes(spreads, run.spec.classes, len(asked)),
    ]
    content = {"pictures": len(asked), "measurements": [asdict(m) for m in measurements]}
    write_text(run.folder / "evaluation.json", json.dumps(content, indent=2))
    return measurements


def _all_pictures(path: Path) -> tuple[Pixels, torch.Tensor]:
    """Every real picture and its label: the reader keeps its own held-out share."""
    parts = [open_dataset(path, split=split) for split in ("train", "holdout")]
    return (
        torch.cat([part.pictures(torch.arange(len(part))) for part in parts]),
        torch.cat([_labels(part) for part in parts]),
    )


def _labels(dataset: ImageDataset) -> torch.Tensor:
    if dataset.labels is None:
        raise DatasetError(f"the dataset {dataset.name} has no classes to judge by")
    return dataset.labels
