"""The real pictures that a run is judged by: held out of its own dataset, or another one's."""

from dataclasses import dataclass
from pathlib import Path

import torch

from maquette.core.errors import DatasetError, RunError
from maquette.core.family import Translates
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.data.domains import two_domains
from maquette.data.manifest import read_manifest
from maquette.families import family_class
from maquette.runs.evaluations import MeasuredOn
from maquette.runs.folder import Run
from maquette.workflows.pictures import pictures_for


@dataclass(frozen=True)
class Material:
    """What is judged by; for translators of the first domain, with the second as partners."""

    run: Run
    held_out: ImageDataset
    foreign: bool  # held-out pictures are all those of another dataset

    def train(self) -> ImageDataset:
        """What the run learnt from. DatasetError when it is not there any more."""
        return pictures_for(self.run.recipe, self.run.dataset_path)

    def measured_on(self, count: int) -> MeasuredOn:
        """In words for evaluation.json: `count` of the held-out pictures."""
        dataset = self.held_out
        return MeasuredOn(dataset.name, dataset.fingerprint, count, self.foreign)


def material(run: Run, data: str | Path | None) -> Material:
    """The held-out split of the run's dataset, or everything in the dataset folder `data`.

    DatasetError or RunError, one sentence, where these pictures cannot judge this run.
    """
    if data is None:
        held_out = pictures_for(run.recipe, run.dataset_path, "holdout")
        if held_out.fingerprint != run.info["dataset"]["fingerprint"]:
            raise RunError(
                f"{run.dataset_path} is no longer what {run.folder} learnt from: its held-out "
                "pictures may have been learnt; build it again from the same pictures, or judge "
                "by others with --data"
            )
        return Material(run, held_out, foreign=False)
    held_out = _everything(run, Path(data))
    if held_out.fingerprint == run.info["dataset"]["fingerprint"]:
        raise RunError(f"{run.folder} learnt from {data}: leave out --data to judge by its rest")
    if held_out.spec != run.spec:
        raise DatasetError(
            f"{run.folder} knows {run.spec}{_named(run.spec.classes)}, and {data} has "
            f"{held_out.spec}{_named(held_out.spec.classes)}: build it with the same size, colours "
            "and classes"
        )
    return Material(run, held_out, foreign=True)


def _everything(run: Run, folder: Path) -> ImageDataset:
    """All splits of a dataset as one, in memory."""
    splits = [name for name, (a, b) in read_manifest(folder)[0].splits.items() if b > a]
    label = run.recipe.data.label
    parts = [open_dataset(folder, split, label=label).labelled() for split in splits]
    labels = [part.labels for part in parts if part.labels is not None]
    whole = ImageDataset(
        torch.cat([part.pictures(torch.arange(len(part))) for part in parts]),
        parts[0].spec,
        labels=torch.cat(labels) if labels else None,
        name=parts[0].name,
        fingerprint=parts[0].fingerprint,
    )
    if issubclass(family_class(run.recipe.family), Translates):
        return two_domains(whole, run.recipe.data.domains)
    return whole


def _named(classes: tuple[str, ...]) -> str:
    return f" ({', '.join(classes[:3])}{' …' if len(classes) > 3 else ''})" if classes else ""
