"""One training step of our ArtGAN against the textbook's in eager float32, in the same run.

    GOMP_SPINCOUNT=1000 python benchmarks/artgan_step.py [--width 32] [--batch 128]
        [--classes 5] [--rounds 7] [--device cuda] [--out benchmarks/results]

The recipe `artgan` at 64 px on made-up pictures, through the training loop, with the weight average
that the textbook lacks. Both begin at the same weights and see the same pictures, noise and
classes; the first step's losses are compared. The sides take turns step by step, so a drift of the
machine cancels.
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
from torch import Tensor

from cyclegan_step import seconds
from maquette.core.devices import Engine, start_engine
from maquette.core.images import ImageSpec
from maquette.core.randomness import noise, seed_everything, uniform
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import read_recipe
from maquette.training.trainer import Trainer
from textbook_artgan import LATENTS, TextbookArtGan

PICTURES, SIZE_PX, ASKED = 512, 64, 1.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    engine = start_engine(arguments.device)
    told = {key: engine.fingerprint()[key] for key in ("torch", "hardware", "threads")}
    told |= {"width": arguments.width, "batch": arguments.batch}
    found = told | speed(engine, arguments)
    file = arguments.out / "artgan_step.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    named = f"{told['hardware']}, width {told['width']}, batch {told['batch']}"
    file.write_text(json.dumps(results | {named: found}, indent=2) + "\n")
    print(f"kept in {file}")


class Ours:
    """The training loop on the recipe."""

    def __init__(self, engine: Engine, precision: str, arguments: argparse.Namespace):
        plan = [f"model.width={arguments.width}", f"training.batch_size={arguments.batch}"]
        recipe = read_recipe("artgan", plan)
        data = made_up(arguments.classes).on(engine.device)
        seed_everything(0, "weights")
        family = family_class(recipe.family)(recipe.model, data.spec)
        self.trainer = Trainer(family, data, recipe.training, Engine(engine.device, precision))

    def step(self) -> tuple[Tensor, Tensor]:
        values = self.trainer.learn()
        return values["discriminator"], values["generator"]


class Textbook:
    """The plain one, from the weights, the pictures, the noise and the classes that ours has."""

    def __init__(self, ours: Ours, arguments: argparse.Namespace):
        self.trainer, self.number, self.classes = ours.trainer, 0, arguments.classes
        device = str(ours.trainer.engine.device)
        self.gan = TextbookArtGan(arguments.classes, arguments.width, device)
        for plain, name in (
            (self.gan.discriminator, "discriminator"),
            (self.gan.generator, "generator"),
        ):
            network = ours.trainer.family.get_submodule(name)
            for mine, theirs in zip(plain.parameters(), network.parameters(), strict=True):
                mine.data.copy_(theirs.data)

    def step(self) -> tuple[Tensor, Tensor]:
        trainer, size = self.trainer, self.trainer.settings.batch_size
        batch = trainer.dataset.batch(self.number, size, trainer.seed, part=(0, 1))
        self.number += 1
        latents = noise(batch.seeds, LATENTS, stream="latents")
        wanted = (uniform(batch.seeds, stream="class") * self.classes).long()
        return self.gan.step(batch.images.contiguous(), batch.labels, latents, wanted)


def made_up(classes: int) -> ImageDataset:
    """Soft noise, its labels in turn."""
    spec = ImageSpec(3, SIZE_PX, SIZE_PX, tuple(f"class {i}" for i in range(classes)))
    dice = torch.Generator().manual_seed(1)
    coarse = torch.randn(PICTURES, 3, 8, 8, generator=dice)
    soft = torch.nn.functional.interpolate(coarse, size=(SIZE_PX, SIZE_PX), mode="bicubic")
    pixels = (soft.tanh() * 127.5 + 127.5).round().to(torch.uint8)
    return ImageDataset(pixels, spec, labels=torch.arange(PICTURES) % classes)


def speed(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    ours = {
        name: Ours(engine, name, arguments) for name in dict.fromkeys(("fp32", engine.precision))
    }
    textbook = Textbook(ours["fp32"], arguments)
    apart = [
        float(abs(o / t - 1)) for o, t in zip(ours["fp32"].step(), textbook.step(), strict=True)
    ]
    print(f"first losses apart from the textbook's: {apart[0]:.1e} and {apart[1]:.1e} of them")
    sides = {"textbook": textbook} | ours
    for side in sides.values():
        side.step()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(arguments.rounds):
        for name in list(sides) if number % 2 else reversed(sides):
            times[name].append(seconds(sides[name].step, engine))
    print(f"median of {arguments.rounds} rounds; asked for on a CPU: {ASKED} ({engine.precision})")
    found: dict[str, object] = {"rounds": arguments.rounds, "first_losses_apart": apart}
    for clock, unit in enumerate(("wall", "processor")):
        seen = {name: [pair[clock] for pair in pairs] for name, pairs in times.items()}
        found |= compared(seen, unit, arguments.batch)
    return found


def compared(times: dict[str, list[float]], unit: str, batch: int) -> dict[str, object]:
    """Pictures a second, and how many times as fast as the textbook's step beside it."""
    rates = {name: batch / statistics.median(values) for name, values in times.items()}
    ratios = {
        name: statistics.median(t / o for t, o in zip(times["textbook"], values, strict=True))
        for name, values in times.items()
    }
    for name, ratio in ratios.items():
        print(f"{name:9} {rates[name]:7.1f} pictures/s of {unit} time, {ratio:.2f} times as fast")
    return {
        f"{unit}_pictures_a_second": {name: round(rate, 1) for name, rate in rates.items()},
        f"{unit}_times_as_fast": {name: round(ratio, 3) for name, ratio in ratios.items()},
    }


if __name__ == "__main__":
    main()
