"""Small picture files for the tests of this folder."""

import gzip
import io
from pathlib import Path

import numpy as np
from PIL import Image


def noise(seed: int, height: int = 12, width: int = 16, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, kind, **options)
    return file.getvalue()


def write_pictures(folder: Path, count: int, first_seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (folder / f"{index:03}.png").write_bytes(encoded(noise(first_seed + index)))
    return folder


def idx_bytes(values: np.ndarray) -> bytes:
    start = bytes([0, 0, 8, values.ndim])
    return start + np.array(values.shape, ">u4").tobytes() + values.tobytes()


def write_idx(file: Path, values: np.ndarray) -> Path:
    content = idx_bytes(values)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
