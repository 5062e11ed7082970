"""Feature extraction against plain eager float32 PyTorch: same network, same pictures, same run.

    python benchmarks/evaluate_speed.py [--features squeezenet1_1@weights.safetensors]

The peer is the same network in PyTorch's usual layout, at 8 and at 32 pictures at a time; ours must
beat the faster of the two. All take turns on the same pictures, so other work on the machine hits
them alike. Also printed: by how much Fréchet and kernel distance change, and what a second look
costs when the features are cached.
"""

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor

from maquette.evaluation.features import FeatureCache, FeatureExtractor, FeatureKey
from maquette.evaluation.frechet import frechet_distance
from maquette.evaluation.kid import kernel_distance
from maquette.networks.feature_networks import FeatureNetwork
from maquette.workflows.feature_choice import open_features

PEER_BATCHES = (8, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", help="default: $MAQUETTE_FEATURES or random-cnn")
    parser.add_argument("--pictures", type=int, default=64, help="in each of two sets")
    parser.add_argument("--size", type=int, default=64, help="pixels, of a square")
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    extractor = open_features(arguments.features)
    assert isinstance(extractor.network, FeatureNetwork)
    plain = copy.deepcopy(extractor.network).to(memory_format=torch.contiguous_format)
    ours_name = "ours"
    contestants: dict[str, Callable[[Tensor], Tensor]] = {
        f"eager, {batch} at a time": eager(plain, batch) for batch in PEER_BATCHES
    } | {ours_name: extractor}
    photographs = [
        crops(index, arguments.pictures, arguments.size) for index in range(2)
    ]  # two sets that differ
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(arguments.rounds + 1):  # the first warms up
        for name, contestant in contestants.items():
            seconds = timed(lambda extract=contestant: extract(photographs[0]))
            if turn:
                times[name].append(seconds / arguments.pictures)
    report_speed(extractor, times, ours_name)
    report_distances(
        [contestants[f"eager, {PEER_BATCHES[0]} at a time"](p) for p in photographs],
        [extractor(p) for p in photographs],
    )
    report_cache(extractor, photographs[0])


def eager(network: FeatureNetwork, batch: int) -> Callable[[Tensor], Tensor]:
    """What a tutorial writes: batches through the network, nothing else."""

    @torch.no_grad()
    def extract(pixels: Tensor) -> Tensor:
        parts = torch.split(pixels, batch)
        return torch.cat([network.embed(network.prepare(part)) for part in parts])

    return extract


def crops(photograph: int, count: int, size: int) -> Tensor:
    """Random squares of one of scikit-learn's two photographs, uint8 (count, 3, size, size)."""
    chance = np.random.default_rng(photograph)
    pixels = load_sample_images().images[photograph]
    tops = chance.integers(0, pixels.shape[0] - size, count)
    lefts = chance.integers(0, pixels.shape[1] - size, count)
    squares = [pixels[t : t + size, x : x + size] for t, x in zip(tops, lefts, strict=True)]
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous()


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report_speed(extractor: FeatureExtractor, times: dict[str, list[float]], ours: str) -> None:
    print(
        f"{extractor.name}, {torch.backends.cpu.get_cpu_capability()}, "
        f"{torch.get_num_threads()} threads, {len(times[ours])} rounds; pictures a second:"
    )
    for name, seconds in times.items():
        print(f"  {name:22} {1 / statistics.median(seconds):6.1f} (best {1 / min(seconds):6.1f})")
    peers = [seconds for name, seconds in times.items() if name != ours]
    middle = min(map(statistics.median, peers)) / statistics.median(times[ours])
    best = min(map(min, peers)) / min(times[ours])
    print(
        f"ours is {middle:.2f} times as fast as the faster peer (best against best {best:.2f}); "
        "asked for: at least 1.5"
    )


def report_distances(plain: list[Tensor], ours: list[Tensor]) -> None:
    for name, distance in (
        ("Fréchet distance", lambda sets: frechet_distance(*sets)),
        ("kernel distance", lambda sets: kernel_distance(*sets).mean),
    ):
        theirs, mine = distance(plain), distance(ours)
        print(
            f"{name}: {theirs:.6g} by eager, {mine:.6g} by ours, changed by "
            f"{100 * abs(mine / theirs - 1):.5f} %; asked for: less than 0.5 %"
        )


def report_cache(extractor: FeatureExtractor, pixels: Tensor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(Path(folder))
        key = FeatureKey("benchmark", "train", extractor.key, len(pixels))
        first, second = (
            timed(lambda: cache.cached(key, lambda: extractor(pixels))) for _ in range(2)
        )
    print(f"features of {len(pixels)} pictures: {first:.2f} s, from the cache {second:.4f} s")


if __name__ == "__main__":
    main()
