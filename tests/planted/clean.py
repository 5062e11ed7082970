"""Clean pictures: crops of the colour photos inside scikit-image's and scikit-learn's wheels.

Eight photos must give a thousand pictures of which no two are nearly the same. So each photo is
turned by several angles, and crops of one angle may overlap only little; flips are not used, for
a mirrored picture is a near-duplicate. Each crop must be rich in content by two plain measures that
nothing in the package uses: the entropy of its grey levels, and how many of its pixels lie on an
edge (retina.jpg and hubble_deep_field.jpg have no such part). Nothing is downloaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = {
    "skimage": (
        "data/astronaut.png",
        "data/chelsea.png",
        "data/coffee.png",
        "data/rocket.jpg",
        "data/ihc.png",
        "data/motorcycle_left.png",
    ),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}
ANGLES = tuple(range(0, 360, 15))  # degrees
SMALLEST_PX, LARGEST_PX = 200, 400  # each side of a crop
SCALES = (0.6, 1.1)  # of a crop to its photo; what is enlarged is not sharp
MOST_OVERLAP = 0.5  # intersection over union with any other crop of the turned photo
LEAST_ENTROPY_BITS = 6.0  # of grey levels; a photo that is well lit has about 7
LEAST_EDGES = 0.06  # share of pixels where grey changes by more than EDGE from one to the next
EDGE = 12  # grey levels of 256
_TRIES = 80  # for the next crop of a turned photo, before it counts as used up


@dataclass
class TurnedPhoto:
    """One photo at one angle, and what was cut from it already."""

    name: str
    photo: Image.Image
    degrees: int
    cut: list[list[int]] = field(default_factory=list)  # left, top, right, bottom

    @cached_property
    def pixels(self) -> np.ndarray:
        """Turned, with empty corners."""
        return np.asarray(self.photo.rotate(self.degrees, Image.Resampling.BICUBIC, expand=True))

    def next_crop(self, random: np.random.Generator) -> np.ndarray | None:
        """None when the photo is used up."""
        sizes = random.integers(SMALLEST_PX, LARGEST_PX + 1, (_TRIES, 2))
        boxes = self._boxes(random, (sizes / random.uniform(*SCALES, (_TRIES, 1))).astype(int))
        good = self._inside(boxes) & ~self._overlaps(boxes)
        for box, size in zip(boxes[good].tolist(), sizes[good].tolist(), strict=True):
            crop = Image.fromarray(self.pixels[box[1] : box[3], box[0] : box[2]])
            pixels = np.asarray(crop.resize(size, Image.Resampling.LANCZOS))
            if rich(pixels):
                self.cut.append(box)
                return pixels
        return None

    def _boxes(self, random: np.random.Generator, sizes: np.ndarray) -> np.ndarray:
        """Of these (width, height), anywhere: rows of (left, top, right, bottom)."""
        room = np.array(self.pixels.shape[1::-1]) - sizes
        corners = (random.random(sizes.shape) * (room + 1)).astype(int)
        return np.concatenate([corners, corners + sizes], 1)

    def _inside(self, boxes: np.ndarray) -> np.ndarray:
        """Whether all four corners lie on the photo."""
        middle = np.array(self.pixels.shape[1::-1]) / 2
        corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]] - middle
        cosine, sine = np.cos(np.deg2rad(self.degrees)), np.sin(np.deg2rad(self.degrees))
        turned_back = corners @ np.array([(cosine, sine), (-sine, cosine)])
        half = np.array(self.photo.size) / 2 - 2  # the outermost pixels are blended with nothing
        return (np.abs(turned_back) <= half).all((1, 2))

    def _overlaps(self, boxes: np.ndarray) -> np.ndarray:
        cut, boxes = np.array(self.cut, int).reshape(1, -1, 4), boxes[:, None]
        shared = np.minimum(cut[..., 2:], boxes[..., 2:]) - np.maximum(cut[..., :2], boxes[..., :2])
        shared = shared.clip(0).prod(-1)
        areas = [(some[..., 2:] - some[..., :2]).prod(-1) for some in (cut, boxes)]
        return (shared > MOST_OVERLAP * (areas[0] + areas[1] - shared)).any(1)


def clean_pictures(count: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Names and RGB pictures, uint8 (200..400, 200..400, 3); the photos take turns."""
    random = np.random.default_rng(seed)
    photos = [list(_turned(file, random)) for file in _files()]
    everything = cycle([photo for turned in zip(*photos, strict=True) for photo in turned])
    crops = ((photo.name, photo.next_crop(random)) for photo in islice(everything, 10 * count))
    kept = ((name, crop) for name, crop in crops if crop is not None)
    for index, (name, crop) in enumerate(islice(kept, count)):
        yield f"{name}-{index:04}", crop


def rich(pixels: np.ndarray) -> bool:
    """Whether there is enough to see."""
    grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.int16)
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    entropy = -(share * np.log2(share + 1e-12)).sum()
    across, down = np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]
    edges = (np.maximum(across, down) > EDGE).mean()
    return bool(entropy >= LEAST_ENTROPY_BITS and edges >= LEAST_EDGES)


def _files() -> Iterator[Path]:
    for package, names in PHOTOS.items():
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None
        yield from (Path(spec.origin).parent / name for name in names)


def _turned(file: Path, random: np.random.Generator) -> Iterator[TurnedPhoto]:
    """At every angle, in any order, so that photos in a row are not turned alike."""
    with Image.open(file) as image:
        photo = image.convert("RGB")
    for degrees in random.permutation(ANGLES).tolist():
        yield TurnedPhoto(file.stem, photo, degrees)
