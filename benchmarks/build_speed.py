"""Building and checking a folder of photographs against a plain Pillow loop on one core.

    python benchmarks/build_speed.py [--pictures 200] [--size 256] [--rounds 3]

The loop opens, converts, resizes and saves one picture after the other, as tutorials do. Ours also
looks for faults, bars, blur and copies, and uses every core. Both see the same JPEGs of about one
megapixel, made from scikit-learn's two sample photographs, and take turns. Also printed: how far
the built pixels are from the loop's, and how long checking 1,000 such pictures takes.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_images

from maquette.data.dataset import open_dataset
from maquette.data.pictures.looking import Bench
from maquette.workflows.datasets import build_dataset

CHECKED_PROCESSES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=256, help="pixels, of a square")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs = make_photographs(folder / "photographs", arguments.pictures)
        compare(folder, photographs, arguments.size, arguments.rounds)
        check(photographs)


def make_photographs(folder: Path, count: int) -> list[Path]:
    """JPEGs of about 1024 x 1024: crops of two photographs, enlarged, with grain."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    sources = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    files = [folder / f"{index:05}.jpg" for index in range(count)]
    for index, file in enumerate(files):
        width, height = (int(side) for side in chance.integers(960, 1089, 2))
        part = int(chance.integers(200, 427))
        left, top = int(chance.integers(0, 641 - part)), int(chance.integers(0, 428 - part))
        crop = sources[index % 2].crop((left, top, left + part, top + part))
        enlarged = np.asarray(crop.resize((width, height), Image.Resampling.BICUBIC))
        grain = chance.normal(0, chance.uniform(1, 6), (height, width, 1))
        pixels = (enlarged + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(file, quality=int(chance.integers(80, 96)))
    return files


def compare(folder: Path, photographs: list[Path], size: int, rounds: int) -> None:
    times: dict[str, list[float]] = {"plain": [], "ours": []}
    plain, ours = folder / "plain", folder / "ours"
    for _ in range(rounds):
        for out in (plain, ours):
            shutil.rmtree(out, ignore_errors=True)
        times["plain"].append(timed(lambda: plain_loop(photographs, plain, size)))
        times["ours"].append(timed(lambda: build_ours(photographs[0].parent, ours, size)))
    ratios = sorted(a / b for a, b in zip(times["plain"], times["ours"], strict=True))
    middle = {name: 1000 * statistics.median(t) / len(photographs) for name, t in times.items()}
    print(
        f"{len(photographs)} JPEGs of one megapixel to {size} px, {rounds} rounds: plain loop "
        f"{middle['plain']:.1f} ms a picture, ours {middle['ours']:.1f} ms; "
        f"{statistics.median(ratios):.2f} times as fast "
        f"(from {ratios[0]:.2f} to {ratios[-1]:.2f}); asked for: at least 3 with two cores\n"
        f"mean difference to the plain loop: {difference(plain, ours):.2f} grey levels; "
        f"asked for: at most 2"
    )


def plain_loop(files: list[Path], out: Path, size: int) -> None:
    out.mkdir()
    for file in files:
        with Image.open(file) as image:
            small = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
        small.save(out / f"{file.stem}.png")


def build_ours(folder: Path, out: Path, size: int) -> None:
    build_dataset([folder], out, size, holdout=0)


def difference(plain: Path, ours: Path) -> float:
    """Mean absolute difference over all pixels of all pictures."""
    dataset = open_dataset(ours)
    entries = [json.loads(line) for line in (ours / "items.jsonl").read_text().splitlines()]
    apart = []
    for entry in entries:
        with Image.open(plain / f"{Path(entry['source']).stem}.png") as image:
            expected = np.asarray(image).astype(int)
        built = dataset.pictures(torch.tensor([entry["row"]]))[0].permute(1, 2, 0).numpy()
        apart.append(np.abs(expected - built).mean())
    return float(np.mean(apart))


def check(files: list[Path]) -> None:
    with ProcessPoolExecutor(CHECKED_PROCESSES) as pool:
        list(pool.map(look, files[:4]))  # started and warm
        seconds = timed(lambda: list(pool.map(look, files, chunksize=8)))
    print(
        f"looking at them with {CHECKED_PROCESSES} processes: "
        f"{1000 * seconds / len(files):.1f} s per 1,000 pictures"
    )


def look(file: Path) -> str:
    facts = Bench(None).look(file.read_bytes()).facts
    assert facts is not None
    return facts.sha256


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
