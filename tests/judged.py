"""Runs of every capability to be judged: small families that only tests know, on small datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import maquette.families
from commands import maquette as command
from maquette.workflows.datasets import build_dataset

SIZE_PX = 16
CLASSES = 5
CLASSIFIER = """\
name: means
family: nearest_means
model: {sharpness: 0.3}
training:
  steps: 40
  batch_size: 32
  device: cpu
  precision: fp32
  average_halflife_images: 1
  optimizer: {learning_rate: 0.05}
callbacks: {checkpoint_every_steps: 20, preview_every_images: 640, preview_pictures: 4}
"""
TRANSLATOR = """\
name: tint
family: tint
training: {steps: 4, batch_size: 4, device: cpu, precision: fp32}
callbacks: {checkpoint_every_steps: 2, preview_every_images: 8, preview_pictures: 4}
"""


@contextmanager
def toy_families() -> Iterator[None]:
    """Families of tests/toy_families can be named in recipes."""
    with pytest.MonkeyPatch.context() as patch:
        places = [*maquette.families.__path__, str(Path(__file__).with_name("toy_families"))]
        patch.setattr(maquette.families, "__path__", places)
        yield


def digits_dataset(folder: Path, rows: slice, holdout: float, names: str = "01234") -> Path:
    """Some rows of real digits, a class for each of the first few."""
    real = load_digits()
    folder.mkdir(parents=True)
    for digit, name in enumerate(names):
        pictures = real.images[real.target == digit][rows]
        np.save(folder / f"{name}.npy", (pictures / 16 * 255).astype(np.uint8))
    files = [folder / f"{name}.npy" for name in names]
    build_dataset(files, folder / "data", SIZE_PX, holdout=holdout, workers=1)
    return folder / "data"


def domains_dataset(folder: Path, count: int = 60, holdout: float = 0.3, seed: int = 0) -> Path:
    """Dark and bright blobs on noise."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    for name, level in (("dark", 60), ("bright", 170)):
        middles = random.uniform(3, SIZE_PX - 3, (count, 2, 1, 1))
        blobs = np.exp(-((y - middles[:, 0]) ** 2 + (x - middles[:, 1]) ** 2) / 12)
        noise = random.normal(0, 8, (count, SIZE_PX, SIZE_PX))
        np.save(
            folder / f"{name}.npy", np.clip(level + 70 * blobs + noise, 0, 255).astype(np.uint8)
        )
    files = [folder / "dark.npy", folder / "bright.npy"]
    build_dataset(files, folder / "data", SIZE_PX, holdout=holdout, workers=1)
    return folder / "data"


def trained(folder: Path, recipe: str, data: Path, name: str, *changes: str) -> Path:
    """A finished run, as `maquette train` leaves it."""
    path = folder / f"{name}.yaml"
    path.write_text(recipe)
    settings = [word for change in changes for word in ("--set", change)]
    ended = command("train", path, "--data", data, "--out", folder / name, *settings)
    assert ended.code == 0, ended.err
    return folder / name
