"""One training step of our CycleGAN against the textbook's in eager float32, in the same run.

    GOMP_SPINCOUNT=1000 python benchmarks/cyclegan_step.py speed curves [--compile]
        [--data FOLDER] [--batch 1] [--size 128] [--device cuda] [--out benchmarks/results]

The paper's networks (width 64, 6 blocks, transposed convolutions, random start), identity part and
pool of 50 pictures on; ours through the training loop, with its weight average. `speed` takes turns
step by step, so a drift of the machine cancels, and says how far the step is from the floor of its
own multiplications. `curves` lets both learn from the same weights and pictures for 200 steps.
`memory` needs a GPU: the most a step of 256 px, 9 blocks and batch 1 takes there.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from maquette.core.devices import Engine, start_engine
from maquette.core.images import ImageSpec
from maquette.core.randomness import seed_everything, uniform
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import read_recipe
from maquette.training.trainer import Trainer
from maquette.workflows.pictures import pictures_for
from textbook_cyclegan import Draws, TextbookCycleGan

PICTURES, FIRST_STEPS, WINDOW_STEPS = 256, 10, 50
Losses = dict[str, Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=["speed", "curves", "memory"])
    parser.add_argument("--data", help="a dataset of two domains; made-up pictures without it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=128, help="px, of made-up pictures")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7, help="of speed")
    parser.add_argument("--steps", type=int, default=200, help="of curves")
    parser.add_argument("--compile", action="store_true", help="compile ours in bf16, for speed")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    parts = {"speed": speed, "curves": curves, "memory": memory}
    engine = start_engine(arguments.device)
    for part in arguments.parts:
        found = about(engine, arguments) | parts[part](engine, arguments)
        keep(arguments.out / "cyclegan_step.json", part, found)


def about(engine: Engine, arguments: argparse.Namespace) -> dict[str, str | int]:
    fingerprint = engine.fingerprint()
    told = {key: fingerprint[key] for key in ("torch", "hardware", "threads")}
    return told | {"batch": arguments.batch, "size_px": arguments.size}


def keep(file: Path, part: str, found: dict[str, object]) -> None:
    """Beside what other parts found before."""
    results = json.loads(file.read_text()) if file.exists() else {}
    named = f"{part}, {found['hardware']}, {found['size_px']} px, batch {found['batch']}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results | {named: found}, indent=2) + "\n")
    print(f"kept in {file}", flush=True)


# The two sides


class Ours:
    """The training loop on the paper's CycleGAN."""

    def __init__(
        self,
        engine: Engine,
        precision: str,
        arguments: argparse.Namespace,
        overrides: tuple[str, ...] = ("model.blocks=6",),
    ):
        plan = ["training.epochs=null", "training.steps=1000000"]
        plan += [f"training.batch_size={arguments.batch}", *overrides]
        recipe = read_recipe("cyclegan", plan)
        data = (
            pictures_for(recipe, arguments.data) if arguments.data else made_up(arguments.size)
        ).on(engine.device)
        seed_everything(0, "weights")
        family = family_class(recipe.family)(recipe.model, data.spec)
        self.trainer = Trainer(family, data, recipe.training, Engine(engine.device, precision))

    def step(self) -> Losses:
        return self.trainer.learn()


class Textbook:
    """The plain one, from the weights, the pictures and the pool's choices that ours has."""

    def __init__(self, ours: Ours, nudge: float = 0.0):
        """`nudge`: by what share of themselves the weights begin elsewhere (one deviation)."""
        self.trainer, self.number = ours.trainer, 0
        self.gan = TextbookCycleGan(device=str(ours.trainer.engine.device))
        family = ours.trainer.family
        for plain, network in (
            (self.gan.a_to_b, family.translators["a_to_b"]),
            (self.gan.b_to_a, family.translators["b_to_a"]),
            (self.gan.judge_a, family.discriminators["a"]),
            (self.gan.judge_b, family.discriminators["b"]),
        ):
            for mine, theirs in zip(plain.parameters(), network.parameters(), strict=True):
                mine.data.copy_(theirs.data * (1 + nudge * torch.randn_like(theirs)))

    def step(self) -> Losses:
        trainer = self.trainer
        size = trainer.settings.batch_size
        batch = trainer.dataset.batch(self.number, size, trainer.seed, part=(0, 1))
        draws: dict[str, Draws] = {
            domain: uniform(batch.seeds, 2, stream=f"memory {domain}").tolist() for domain in "ab"
        }
        a, b = batch.images.contiguous(), batch.partners.contiguous()
        self.number += 1
        return self.gan.step(a, b, draws["a"], draws["b"])


def made_up(size_px: int) -> ImageDataset:
    """Two domains of soft blots, the second with more colour and finer ones."""

    def pictures(seed: int, coarse_px: int, contrast: float) -> Tensor:
        noise = torch.randn(
            PICTURES, 3, coarse_px, coarse_px, generator=torch.Generator().manual_seed(seed)
        )
        soft = F.interpolate(contrast * noise, size=(size_px, size_px), mode="bicubic")
        return (soft.tanh() * 127.5 + 127.5).round().to(torch.uint8)

    spec = ImageSpec(3, size_px, size_px, ("a", "b"))
    return ImageDataset(pictures(1, 6, 0.5), spec, partners=ImageDataset(pictures(2, 12, 1), spec))


# How fast


def speed(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    ours = {name: Ours(engine, name, arguments) for name in ("fp32", "bf16")}
    if arguments.compile:
        compiled = ("model.blocks=6", "training.compile=true")
        ours["bf16 compiled"] = Ours(engine, "bf16", arguments, compiled)
    sides = {"textbook": Textbook(ours["fp32"])} | ours
    started = {name: seconds(side.step, engine)[0] for name, side in sides.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(arguments.rounds):
        for name in list(sides) if number % 2 else reversed(sides):
            times[name].append(seconds(sides[name].step, engine))
    asked = 3.0 if engine.device.type == "cuda" else 1.9
    print(
        f"batch {arguments.batch}, median of {arguments.rounds} pairs; asked for: {asked} in bf16"
    )
    found: dict[str, object] = {"rounds": arguments.rounds}
    for clock, unit in enumerate(("wall", "processor")):
        seen = {name: [pair[clock] for pair in pairs] for name, pairs in times.items()}
        found |= compared(seen, unit)
    found["first_step_seconds"] = {name: round(value, 1) for name, value in started.items()}
    return found | floor(engine, ours["bf16"], times["bf16"])


def compared(times: dict[str, list[float]], unit: str) -> dict[str, object]:
    """Medians, and how many times as fast as the textbook's step beside it."""
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {
        name: statistics.median(t / o for t, o in zip(times["textbook"], values, strict=True))
        for name, values in times.items()
    }
    for name, ratio in ratios.items():
        print(f"{name:14} {1000 * middle[name]:7.0f} ms {unit} time, {ratio:.2f} times as fast")
    return {
        f"{unit}_milliseconds": {name: round(1000 * value, 1) for name, value in middle.items()},
        f"{unit}_times_as_fast": {name: round(ratio, 3) for name, ratio in ratios.items()},
    }


def seconds(step: Callable[[], object], engine: Engine) -> tuple[float, float]:
    """On the wall, and of all processor cores together, which other programs hardly disturb."""
    _finish(engine)
    started, worked = time.perf_counter(), time.process_time()
    step()
    _finish(engine)
    return time.perf_counter() - started, time.process_time() - worked


def floor(engine: Engine, ours: Ours, times: list[tuple[float, float]]) -> dict[str, float]:
    """The step's own multiplications at the speed of a large matrix product.

    Both in processor time on a CPU, so that other programs disturb neither.
    """
    clock = 0 if engine.device.type == "cuda" else 1
    with FlopCounterMode(display=False) as counted:
        ours.step()
    flops = counted.get_total_flops()
    side = 6144 if engine.device.type == "cuda" else 1536
    a = torch.randn(side, side, device=engine.device).bfloat16()
    peak = 2 * side**3 / min(seconds(lambda: a @ a, engine)[clock] for _ in range(12))
    share = statistics.median(pair[clock] for pair in times) * peak / flops
    print(
        f"floor: {flops / 1e9:.0f} GFLOP a step at {peak / 1e9:.0f} GFLOP/s (a large "
        f"bf16 product) = {1000 * flops / peak:.0f} ms of one; bf16 takes {share:.2f} x that"
    )
    return {
        "gflop": round(flops / 1e9, 1),
        "bf16_product_gflop_a_second": round(peak / 1e9),
        "bf16_times_floor": round(share, 2),
    }


def _finish(engine: Engine) -> None:
    if engine.device.type == "cuda":
        torch.cuda.synchronize(engine.device)


# The same results


def curves(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    """Mean losses over all steps, their windows and the first steps, against the textbook's.

    The measure of them is how far the textbook is from itself when it begins one part in a million
    elsewhere: a game of two players carries rounding on.
    """
    textbook = curve(Textbook(Ours(engine, "fp32", arguments)), arguments.steps)
    found: dict[str, object] = {"steps": arguments.steps}
    sides: dict[str, Callable[[], Ours | Textbook]] = {
        "textbook nudged": lambda: Textbook(Ours(engine, "fp32", arguments), nudge=1e-6),
        "fp32": lambda: Ours(engine, "fp32", arguments),
        "bf16": lambda: Ours(engine, "bf16", arguments),
    }
    for name, side in sides.items():
        learnt = curve(side(), arguments.steps)
        for player, theirs in textbook.items():
            apart = differences(learnt[player], theirs)
            found[f"{name} {player}"] = apart
            told = ", ".join(f"{k} {v:.3%}" for k, v in apart.items())
            print(f"{name} {player}: {told}", flush=True)
    print("asked for: mean within 2 %, fp32 equal at the first step")
    return found


def curve(side: Ours | Textbook, steps: int) -> dict[str, Tensor]:
    values = [side.step() for _ in range(steps)]
    return {
        player: torch.stack([v[player] for v in values]).double().cpu()
        for player in ("translators", "discriminators")
    }


def differences(ours: Tensor, theirs: Tensor) -> dict[str, float]:
    """Relative: of the means, of the worst window's means, at the first step and the worst of ten.

    Single steps drift apart soon, because Adam turns rounding of small gradients into whole steps.
    """
    windows = zip(ours.split(WINDOW_STEPS), theirs.split(WINDOW_STEPS), strict=True)
    first = (ours / theirs - 1).abs()[:FIRST_STEPS]
    return {
        "mean": float(ours.mean() / theirs.mean() - 1),
        f"worst of {WINDOW_STEPS} steps": max(
            float(abs(o.mean() / t.mean() - 1)) for o, t in windows
        ),
        "first step": float(first[0]),
        f"worst of the first {FIRST_STEPS}": float(first.max()),
    }


# How much memory


def memory(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    if engine.device.type != "cuda":
        print("memory: measured on CUDA devices alone")
        return {}
    large = argparse.Namespace(**vars(arguments) | {"size": 256, "batch": 1, "data": None})
    torch.cuda.reset_peak_memory_stats(engine.device)
    ours = Ours(engine, "bf16", large, ("model.blocks=9",))
    for _ in range(3):
        ours.step()
    gib = torch.cuda.max_memory_allocated(engine.device) / 2**30
    print(f"256 px, 9 blocks, batch 1: {gib:.2f} GiB at most; asked for: at most 5 GB (4.66 GiB)")
    return {"size_px": 256, "batch": 1, "peak_gib": round(gib, 2)}


if __name__ == "__main__":
    main()
