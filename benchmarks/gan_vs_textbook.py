"""Our GAN recipes against the textbook DCGAN: the same pictures, minutes, cores, judge and run.

    GOMP_SPINCOUNT=1000 python benchmarks/gan_vs_textbook.py --pictures FOLDER \
        --weights squeezenet1_1.safetensors --minutes 20 --recipes gan gan-dcgan --out results/

Each learner gets the same wall time, one after the other. Then 1,000 pictures of each are compared
with all real ones in SqueezeNet 1.1 features: Fréchet distance and KID (squeezenet1_1), which are
not FID. The textbook learns from all pictures, ours from the nine tenths not kept aside. Ours pays
for its previews, scores and checkpoints out of its minutes, and serves what a person would get.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from maquette.core.pictures import grid, save_png
from maquette.data.dataset import open_dataset
from maquette.evaluation.frechet import frechet_distance
from maquette.evaluation.kid import kernel_distance
from maquette.networks.squeezenet import load_squeezenet
from maquette.workflows.datasets import build_dataset
from maquette.workflows.generating import generate
from maquette.workflows.training import train
from textbook_dcgan import sample
from textbook_dcgan import train as train_textbook

COUNT, SIZE_PX = 1000, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--recipes", nargs="*", default=["gan"])
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    data = arguments.out / "data"
    if not data.exists():
        build_dataset([arguments.pictures], data, SIZE_PX)
    pixels = all_pictures(data)
    judge = Judge(arguments.weights, pixels, arguments.out)
    judge.say("noise (floor)", 0.0, torch.randint(0, 256, (COUNT, 3, SIZE_PX, SIZE_PX)).byte())
    for name in arguments.recipes:
        judge.say(name, *ours(name, data, arguments.out / name, arguments.minutes))
        if name == arguments.recipes[0]:
            judge.say("textbook DCGAN", *textbook(pixels, arguments.minutes))
            judge.compare(name, "textbook DCGAN")


def all_pictures(data: Path) -> Tensor:
    """Training and held-out pictures, uint8."""
    parts = [open_dataset(data, split=split) for split in ("train", "holdout")]
    return torch.cat([part.pictures(torch.arange(len(part))) for part in parts])


def ours(recipe: str, data: Path, run: Path, minutes: float) -> tuple[float, Tensor]:
    """Steps taken and pictures of what the run serves."""
    overrides = [f"training.hours={minutes / 60}"]
    result = train(recipe, data, run, overrides=overrides)
    if result.outcome == "interrupted":  # it saved itself; the comparison is off
        raise SystemExit(f"{recipe} was interrupted: run the same command again to go on")
    return result.run.info["step"], generate(result.run, COUNT, device="cpu").pixels


def textbook(pixels: Tensor, minutes: float) -> tuple[float, Tensor]:
    made, steps = train_textbook(pixels, 60 * minutes)
    return steps, sample(made, COUNT)


class Judge:
    """Distances to the real pictures, printed and kept."""

    def __init__(self, weights: Path, real: Tensor, out: Path):
        self.network, self.out = load_squeezenet(weights), out
        self.real = self.features(real)
        self.results: dict[str, dict[str, float]] = {}

    def features(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self.network(part) for part in pixels.split(25)]).double()

    def say(self, name: str, steps: float, pixels: Tensor) -> None:
        save_png(grid(pixels[:64], 8), self.out / f"{name.replace(' ', '-')}.png")
        made = self.features(pixels)
        frechet = frechet_distance(self.real, made)
        kid = kernel_distance(self.real, made)
        self.results[name] = {"steps": steps, "frechet": frechet, "kid": kid.mean}
        (self.out / "results.json").write_text(json.dumps(self.results, indent=2))
        print(
            f"{time.strftime('%H:%M')} {name:16} {steps:7,.0f} steps   Fréchet {frechet:8.1f}   "
            f"KID {kid.mean:8.2f} (squeezenet1_1, n = {len(pixels)} against {len(self.real)})",
            flush=True,
        )

    def compare(self, name: str, other: str) -> None:
        ratio = self.results[name]["kid"] / self.results[other]["kid"]
        print(f"KID of {name} / KID of {other} = {ratio:.2f}; asked for: at most 0.60", flush=True)


if __name__ == "__main__":
    main()
