"""Runs with classes side by side: of each class, how far what they make is from the real pictures.

    python benchmarks/class_distances.py runs/artgan runs/artgan-plus \
        --features squeezenet1_1@weights.safetensors --out results/styles.json

The runs are of one dataset and one label column. Of each class as many pictures are made as real
ones are looked at (of both splits; the smallest class decides how many), so that distances of
different classes and runs may be compared: Fréchet distance and KID in these features (not FID).
What a class's distance means is seen beside how far the real pictures of the nearest other class
are from it. The first picture of every class is drawn from one seed, and so on: sheets go beside
the results.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from maquette.core.family import Generates
from maquette.core.pictures import grid, save_png
from maquette.core.randomness import shuffled
from maquette.data.dataset import open_dataset
from maquette.evaluation.bootstrap import Estimate
from maquette.evaluation.features import FeatureExtractor
from maquette.evaluation.frechet import frechet
from maquette.evaluation.kid import kid
from maquette.runs.asking import generated
from maquette.runs.folder import Run, open_run
from maquette.workflows.feature_choice import open_features
from maquette.workflows.generating import seeds_of

FIRST_SEED, SHOWN = 10_000, 10  # seeds nobody has looked at before; pictures of a class on a sheet
BATCH = 50
OTHERS = "real ones of other classes"
Distances = dict[str, Estimate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--features", required=True, help="as `maquette evaluate --features`")
    parser.add_argument("--last", action="store_true", help="judge the end, not what is served")
    parser.add_argument("--count", type=int, default=250, help="pictures of each class")
    parser.add_argument("--out", type=Path, required=True, help="a .json file")
    arguments = parser.parse_args()
    runs = [open_run(folder) for folder in arguments.runs]
    if len({run.folder.name for run in runs}) < len(runs):
        parser.error("runs whose folders share a name would share their results: rename one")
    extractor = open_features(arguments.features)
    reals = real_features(runs[0], arguments.count, extractor)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    results = {"features": extractor.key, "count": min(map(len, reals.values()))}
    results[OTHERS] = told(OTHERS, of_others(reals))
    for run in runs:
        pixels = made(run, arguments.last, list(reals), results["count"])
        sheet = torch.cat([of_class[:SHOWN] for of_class in pixels.values()])
        save_png(grid(sheet, SHOWN), arguments.out.with_name(f"{run.folder.name}.png"))
        distances = {
            name: distance(reals[name], extractor(of_class)) for name, of_class in pixels.items()
        }
        results[run.folder.name] = told(run.folder.name, distances) | {
            key: run.info[key] for key in ("step", "images", "seconds")
        }
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")


def real_features(run: Run, count: int, extractor: FeatureExtractor) -> dict[str, Tensor]:
    """Of as many real pictures of each class, drawn at random from both splits."""
    path, label = Path(run.info["dataset"]["path"]), run.recipe.data.label
    parts = [open_dataset(path, split=split, label=label) for split in ("train", "holdout")]
    pixels = torch.cat([part.pictures(torch.arange(len(part))) for part in parts])
    labels = torch.cat([part.labels for part in parts if part.labels is not None])
    classes = parts[0].spec.classes
    rows = [(labels == number).nonzero()[:, 0] for number in range(len(classes))]
    count = min(count, *map(len, rows))
    drawn = [some[shuffled(len(some), "class distances", 0)[:count]] for some in rows]
    return {name: extractor(pixels[some]) for name, some in zip(classes, drawn, strict=True)}


def made(run: Run, last: bool, classes: list[str], count: int) -> dict[str, Tensor]:
    """Pictures of each class by what the run serves, or by its last state, from the same seeds."""
    family = run.family_at(run.checkpoints.entries()[-1]) if last else run.served_family()
    assert isinstance(family, Generates)
    seeds = seeds_of(range(FIRST_SEED, FIRST_SEED + count))
    return {
        name: generated(family, torch.full_like(seeds, number), seeds, BATCH)
        for number, name in enumerate(classes)
    }


def distance(real: Tensor, other: Tensor) -> Distances:
    return {"frechet": frechet(real, other), "kid": kid(real, other)}


def of_others(reals: dict[str, Tensor]) -> dict[str, Distances]:
    """Of the class that is nearest."""
    return {
        name: min(
            (distance(features, other) for one, other in reals.items() if one != name),
            key=lambda found: found["kid"].value,
        )
        for name, features in reals.items()
    }


def told(name: str, distances: dict[str, Distances]) -> dict[str, object]:
    """Prints and returns the distances of every class, and their mean."""
    print(name)
    for of_class, found in distances.items():
        words = [
            f"{kind} {e.value:8.1f} ({e.low:.1f} to {e.high:.1f})" for kind, e in found.items()
        ]
        print(f"  {of_class:24} {'   '.join(words)}")
    means = {
        kind: fmean(found[kind].value for found in distances.values())
        for kind in ("frechet", "kid")
    }
    print(
        "  " + "   ".join(f"{kind}, mean {value:.1f}" for kind, value in means.items()), flush=True
    )
    classes = {
        of_class: {
            kind: [round(x, 1) for x in (e.value, e.low, e.high)] for kind, e in found.items()
        }
        for of_class, found in distances.items()
    }
    return {"mean": {kind: round(value, 1) for kind, value in means.items()}, "classes": classes}


if __name__ == "__main__":
    main()
