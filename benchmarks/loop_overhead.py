"""What the house costs: our training loop against a bare hand-written loop of the same step.

    python benchmarks/loop_overhead.py

Both train the `digits` recipe's family on the same batches with the same optimizers and the same
weight average, in alternating blocks in one process, so a drift of the machine's speed cancels.
Ours also watches every loss and gradient norm, keeps a history and saves in the background, as
often as a recipe does by default unless told otherwise.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import torch

from maquette.core.devices import start_engine
from maquette.core.family import Progress
from maquette.core.randomness import seed_everything
from maquette.data.dataset import ImageDataset, open_dataset
from maquette.families import family_class
from maquette.recipe import Recipe, read_recipe
from maquette.runs.history import History
from maquette.training.checkpoints import CheckpointStore
from maquette.training.session import Session
from maquette.training.trainer import Trainer
from maquette.workflows.datasets import build_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="digits")
    parser.add_argument("--blocks", type=int, default=24)
    parser.add_argument("--save-every", type=int, default=500, help="steps")
    parser.add_argument("--steps", type=int, default=50, help="in a block")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        build_dataset(["builtin:digits"], Path(folder) / "digits", 16)
        dataset = open_dataset(Path(folder) / "digits").on("cpu")
        recipe = read_recipe(arguments.recipe)
        loops = (
            _ours(recipe, dataset, Path(folder), arguments.steps, arguments.save_every),
            _bare(recipe, dataset, arguments.steps),
        )
        measure(recipe, loops, arguments.blocks, arguments.steps)


def measure(
    recipe: Recipe, loops: tuple[Iterator[None], Iterator[None]], blocks: int, steps: int
) -> None:
    ours, bare = loops
    next(ours), next(bare)  # warm up
    pairs = []
    for block in range(blocks):
        first, second = (ours, bare) if block % 2 == 0 else (bare, ours)
        times = {id(loop): _timed(lambda loop=loop: next(loop)) for loop in (first, second)}
        pairs.append((times[id(ours)], times[id(bare)]))
    ratios = sorted(a / b for a, b in pairs)
    whole = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
    print(
        f"{recipe.name}, batch {recipe.training.batch_size}, {blocks} x {steps} steps, "
        f"{torch.get_num_threads()} threads: ours {_per_step(pairs, 0, steps):.2f} ms a step, "
        f"bare {_per_step(pairs, 1, steps):.2f} ms; whole time {whole:.3f} of the bare loop's, "
        f"median block {statistics.median(ratios):.3f} (from {ratios[0]:.3f} to {ratios[-1]:.3f}); "
        f"asked for: at most 1.05"
    )


def _timed(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _per_step(pairs: list[tuple[float, float]], side: int, steps: int) -> float:
    return 1000 * statistics.median(pair[side] for pair in pairs) / steps


def _ours(
    recipe: Recipe, dataset: ImageDataset, folder: Path, steps: int, save_every: int
) -> Iterator[None]:
    """Sessions of so many steps, each going on where the last stopped."""
    seed_everything(0, "weights")
    family = family_class(recipe.family)(recipe.model, dataset.spec)
    long = recipe.with_training(steps=10**7, epochs=None)
    trainer = Trainer(family, dataset, long.training, start_engine("cpu", "fp32"))
    history = History(folder / "history.jsonl", 10, recipe.training.batch_size)
    session = Session(trainer, CheckpointStore(folder / "checkpoints"), save_every, 60.0, [history])
    trainer.clock.start(0.0)
    while True:
        until = trainer.step + steps
        while trainer.step < until:
            session.advance()
        yield


def _bare(recipe: Recipe, dataset: ImageDataset, steps: int) -> Iterator[None]:
    """The same step as one would write it by hand for this family."""
    seed_everything(0, "weights")
    training = recipe.training
    family = family_class(recipe.family)(recipe.model, dataset.spec).train()
    family.to(memory_format=torch.channels_last)
    average = deepcopy(family).eval().requires_grad_(False)
    slow, fast = list(average.parameters()), [p.data for p in family.parameters()]
    players = {
        name: [p for p in network.parameters() if p.requires_grad]
        for name, network in family.players().items()
    }
    optimizers = {
        name: torch.optim.Adam(parameters, training.for_player(name).learning_rate, (0.0, 0.99))
        for name, parameters in players.items()
    }
    step = 0
    while True:
        for _ in range(steps):
            batch = dataset.batch(step, training.batch_size, 0)
            progress = Progress(step, step * training.batch_size, 0.0)
            for update in family.training_step(batch, progress):
                torch.autograd.backward(update.loss, inputs=players[update.player])
                optimizers[update.player].step()
                optimizers[update.player].zero_grad()
            torch._foreach_lerp_(slow, fast, 0.01)
            step += 1
        yield


if __name__ == "__main__":
    main()
