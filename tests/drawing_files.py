"""Small files of drawings, as Quick, Draw! publishes them, for the tests of datasets."""

import json
from pathlib import Path

import numpy as np


def drawing(seed: int, timed: bool = False) -> list[list[list[int]]]:
    """One to four strokes of up to eight points each."""
    random = np.random.default_rng(seed)
    strokes = []
    for _ in range(random.integers(1, 5)):
        points = random.integers(0, 256, (int(random.integers(1, 9)), 2))
        times = np.arange(len(points)) * 17 + 400
        strokes.append([*points.T.tolist(), *([times.tolist()] if timed else [])])
    return strokes


def write_drawings(file: Path, word: str, seeds: range, timed: bool = False) -> Path:
    lines = [
        json.dumps({"word": word, "key_id": str(seed), "drawing": drawing(seed, timed)})
        for seed in seeds
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file
