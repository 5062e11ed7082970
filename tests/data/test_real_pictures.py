"""Real, awkward files: nothing crashes, and what is shown is right."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from maquette.core.errors import DatasetError
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.dataset import open_dataset
from maquette.data.pictures.faults import PictureError
from maquette.data.pictures.preparation import prepare
from maquette.data.sizes import ImageSize
from maquette.data.sources.opening import open_source

ROOT = os.environ.get("MAQUETTE_REAL_DATA")
pytestmark = pytest.mark.skipif(ROOT is None, reason="needs MAQUETTE_REAL_DATA")
REAL = Path(ROOT or ".")


def test_awkward_pictures_become_rows_or_findings(tmp_path: Path) -> None:
    summary = build([str(REAL / "awkward_images")], tmp_path / "out", ImageSize(32, 48))
    assert summary.counts["train"] + summary.counts["holdout"] > 300
    assert sum(summary.counts.values()) == open_source(str(REAL / "awkward_images")).count()
    awkward = {Path(source).name: finding for source, finding in summary.left_out.items()}
    assert "cut short" in awkward["truncated.jpg"]
    assert "million pixels" in awkward["giant-image.jpg"]
    assert "is a web page" in awkward["cat.npy"]
    assert "is cut short" in awkward["empty-idx3-ubyte.gz"]
    listed = (tmp_path / "out" / "items.jsonl").read_text().splitlines()
    assert all(json.loads(line)["left_out"] for line in listed[-summary.counts["skipped"] :])


@pytest.mark.parametrize("name", ["cat.npy", "zebra.npy", "empty-idx3-ubyte.gz"])
def test_awkward_arrays_are_refused(name: str) -> None:
    with pytest.raises(DatasetError, match=name):
        open_source(str(REAL / "awkward_images" / name))


def test_rotated_photographs_look_alike() -> None:
    for kind in ("Landscape", "Portrait"):
        folder = REAL / "awkward_images" / "exif_orientation"
        upright, *rotated = (
            prepare((folder / f"{kind}_{n}.jpg").read_bytes(), ImageSize(16, 16), 3, "stretch")
            for n in range(9)
        )
        for other in rotated:
            difference = np.abs(upright.pixels.astype(float) - other.pixels).mean()
            assert difference < 12
            assert other.original_height == upright.original_height


def test_no_awkward_file_is_anything_but_read_or_refused() -> None:
    for file in (REAL / "awkward_images").rglob("*"):
        if file.is_file():
            for channels, fit in ((1, "contain"), (3, "stretch")):
                try:
                    prepared = prepare(file.read_bytes(), ImageSize(8, 8), channels, fit)
                except PictureError as problem:
                    assert "\n" not in str(problem)
                else:
                    assert prepared.pixels.shape == (8, 8, channels)


def test_mnist_test_set(tmp_path: Path) -> None:
    images = REAL / "mnist" / "t10k-images-idx3-ubyte.gz"
    summary = build([str(images)], tmp_path / "out", ImageSize(28, 28), Choices(holdout=0))
    assert summary.spec.classes == tuple("0123456789")
    dataset = open_dataset(tmp_path / "out")
    assert len(dataset) == 10_000
    assert dataset.labels is not None
    assert dataset.labels[:5].tolist() == [7, 2, 1, 0, 4]
    pixels = dataset.pictures(torch.arange(10_000)).numpy()
    assert pixels.tobytes() == gzip.decompress(images.read_bytes())[16:]


def test_drawings_in_both_published_shapes(tmp_path: Path) -> None:
    files = [str(REAL / "quickdraw" / "bitmaps" / f"{name}.npy") for name in ("apple", "star")]
    summary = build(files, tmp_path / "out", ImageSize(28, 28))
    assert summary.spec.classes == ("apple", "star")
    assert summary.counts["skipped"] == 0
    assert summary.counts["train"] + summary.counts["holdout"] == 8000
