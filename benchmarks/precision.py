"""One step of the residual GAN in bf16 and channels_last against eager fp32, in the same run.

    python benchmarks/precision.py [--device cuda] [--size 64] [--batch 64]

Also says what `precision: auto` chooses on this machine, and how far the fp32 step is from the
floor of its own multiplications (counted by torch without penalties, against a matrix product).
"""

import argparse
import statistics
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from maquette.core.devices import Engine, start_engine
from maquette.core.images import ImageSpec
from maquette.core.randomness import seed_everything
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import read_recipe
from maquette.training.trainer import Trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    engine = start_engine(arguments.device)
    trainers = {
        precision: make(Engine(engine.device, precision), arguments.size, arguments.batch)
        for precision in ("fp32", "bf16")
    }
    times: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(arguments.rounds):
        for name, trainer in trainers.items():
            times[name].append(seconds_a_step(trainer))
    report(engine, trainers["fp32"], times)


def make(engine: Engine, size_px: int, batch: int | None) -> Trainer:
    recipe = read_recipe("gan").with_training(**({"batch_size": batch} if batch else {}))
    spec = ImageSpec(3, size_px, size_px)
    pixels = torch.randint(0, 256, (256, *spec.shape), dtype=torch.uint8)
    seed_everything(0)
    family = family_class(recipe.family)(recipe.model, spec)
    dataset = ImageDataset(pixels, spec).on(engine.device)
    return Trainer(family, dataset, recipe.training, engine)


def seconds_a_step(trainer: Trainer, steps: int = 4) -> float:
    """Mean over steps that include a penalised one, after one to warm up."""
    trainer.learn()
    _finish(trainer)
    started = time.perf_counter()
    for _ in range(steps):
        trainer.learn()
    _finish(trainer)
    return (time.perf_counter() - started) / steps


def report(engine: Engine, trainer: Trainer, times: dict[str, list[float]]) -> None:
    middle = {name: statistics.median(values) for name, values in times.items()}
    flops = flops_a_step(trainer)
    peak = best_flops_a_second(engine)
    print(
        f"{engine.fingerprint()['hardware']}, batch {trainer.settings.batch_size}, "
        f"{trainer.family.spec}: fp32 {1000 * middle['fp32']:.0f} ms a step, "
        f"bf16 {1000 * middle['bf16']:.0f} ms; fp32/bf16 = {middle['fp32'] / middle['bf16']:.2f}; "
        f"`precision: auto` takes {engine.precision} here"
    )
    print(
        f"floor: {flops / 1e9:.1f} GFLOP a step at {peak / 1e9:.0f} GFLOP/s (a large matrix "
        f"product) = {1000 * flops / peak:.0f} ms; "
        f"fp32 takes {middle['fp32'] * peak / flops:.1f} x that"
    )


def flops_a_step(trainer: Trainer) -> int:
    """Multiplications of one step without penalties.

    The generator goes forward and back (3 forward passes' worth); so does the discriminator for
    real and generated pictures, and once more for the generator's sake, without weight gradients.
    """
    batch, gan = (
        trainer.dataset.batch(0, trainer.settings.batch_size, 0, part=(0, 1)),
        trainer.family,
    )
    with torch.no_grad(), FlopCounterMode(display=False) as generator:
        pictures = gan.generate(batch.labels, batch.seeds)
    with torch.no_grad(), FlopCounterMode(display=False) as discriminator:
        gan.discriminator(pictures, batch.labels)
    return 3 * generator.get_total_flops() + (3 + 3 + 2) * discriminator.get_total_flops()


def best_flops_a_second(engine: Engine, size: int = 1536) -> float:
    a = torch.randn(size, size, device=engine.device)
    best = float("inf")
    for _ in range(8):
        started = time.perf_counter()
        (a @ a)[0, 0].item()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def _finish(trainer: Trainer) -> None:
    """Wait for the device."""
    next(trainer.family.parameters()).flatten()[0].item()


if __name__ == "__main__":
    main()
