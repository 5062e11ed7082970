"""What to learn from: pictures with random access to the batch of any step.

A batch is a function of (seed, step) alone, whether the pictures are resident on a device or
streamed from disk, so there is no iterator state to save and a resumed run repeats itself.
"""

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor

from maquette.core.errors import DatasetError
from maquette.core.images import Batch, Images, ImageSpec, Labels, Pixels, Seeds, to_float
from maquette.core.randomness import picture_seeds, shuffled, uniform
from maquette.data.manifest import LABELS, Manifest, read_manifest
from maquette.data.rows import ChosenRows, MappedRows, ResidentRows, RowNumbers, Rows

SHARE_OF_FREE_MEMORY = 0.25  # what a resident dataset may take; the rest is for networks


class ImageDataset:
    """Prepared pictures, optional class indices, optional second (unpaired) domain."""

    def __init__(
        self,
        pixels: Pixels | Rows,
        spec: ImageSpec,
        *,
        labels: Labels | None = None,
        name: str = "in memory",
        fingerprint: str = "",
        mirror: bool = False,
        partners: "ImageDataset | None" = None,
        device: torch.device | str = "cpu",
    ):
        """`mirror` flips half of the pictures of every batch, drawn anew each time."""
        self._rows = ResidentRows(pixels) if isinstance(pixels, Tensor) else pixels
        self.spec, self.name, self.fingerprint = spec, name, fingerprint
        self.device = torch.device(device)
        self.labels = None if labels is None else labels.long().to(self.device)
        self.mirror, self.partners = mirror, partners
        self._permutation = lru_cache(maxsize=2)(partial(shuffled, len(self._rows)))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def resident(self) -> bool:
        """Whether every picture is in memory already, so that fetching ahead gains nothing."""
        return isinstance(self._rows, ResidentRows) and (
            self.partners is None or self.partners.resident
        )

    def batch(self, step: int, size: int, seed: int, *, part: tuple[int, int] = (0, 1)) -> Batch:
        """The batch of this step, or this (rank, world) process's equal part of it.

        `size` counts the whole batch and may exceed the dataset; every epoch shows every picture
        exactly once, in an order of its own. Images are channels_last on `self.device`.
        """
        rank, world = part
        assert size % world == 0, "a batch is divided evenly between processes"
        seeds = picture_seeds(size, seed, "batch", step).chunk(world)[rank]
        positions = torch.arange(step * size, (step + 1) * size).chunk(world)[rank]
        rows = self._order(positions, seed, "images")
        labels = None if self.labels is None else self.labels[rows.to(self.device)]
        partners = None
        if self.partners is not None:
            partner_rows = self.partners._order(positions, seed, "partners")
            partners = self.partners._images(partner_rows, seeds, "mirror partners")
        return Batch(
            images=self._images(rows, seeds, "mirror"),
            seeds=seeds.to(self.device),
            labels=labels,
            partners=partners,
        )

    def pictures(self, rows: RowNumbers) -> Pixels:
        """These rows as stored, in this order, on `self.device`; for evaluation and reports."""
        return self._rows.read(rows).to(self.device)

    def domain(
        self, label: int, spec: ImageSpec, partners: "ImageDataset | None" = None
    ) -> "ImageDataset":
        """The pictures of one class alone, without labels; `spec` names the domains.

        DatasetError when there are none.
        """
        assert self.labels is not None
        numbers = (self.labels == label).nonzero()[:, 0]
        if not len(numbers):
            raise DatasetError(
                f"{self.name} keeps no pictures of {self.spec.classes[label]!r} in this split: "
                "build it with more of them"
            )
        return ImageDataset(
            ChosenRows(self._rows, numbers),
            spec,
            name=self.name,
            fingerprint=self.fingerprint,
            mirror=self.mirror,
            partners=partners,
            device=self.device,
        )

    def on(self, device: torch.device | str) -> "ImageDataset":
        """The same dataset giving its batches on `device`.

        It becomes resident there when it fits into a quarter of the free memory; otherwise it is
        streamed from where it is.
        """
        room = free_bytes(torch.device(device)) * SHARE_OF_FREE_MEMORY
        rows = self._rows
        if len(rows) * rows.bytes_each <= room:
            rows = ResidentRows(rows.read(torch.arange(len(rows))).to(device))
        return ImageDataset(
            rows,
            self.spec,
            labels=self.labels,
            name=self.name,
            fingerprint=self.fingerprint,
            mirror=self.mirror,
            partners=None if self.partners is None else self.partners.on(device),
            device=device,
        )

    def _order(self, positions: Tensor, seed: int, stream: str) -> RowNumbers:
        """Rows at these positions of the endless sequence of shuffled epochs."""
        epochs, places = positions // len(self), positions % len(self)
        rows = torch.empty_like(positions)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            rows[here] = self._permutation(seed, stream, epoch)[places[here]]
        return rows

    def _images(self, rows: RowNumbers, seeds: Seeds, mirror_stream: str) -> Images:
        images = to_float(self.pictures(rows))
        if not self.mirror:
            return images
        flipped = (uniform(seeds, 1, stream=mirror_stream) < 0.5).to(self.device)
        return torch.where(flipped[:, :, None, None], images.flip(-1), images)


def open_dataset(
    path: Path | str,
    split: str = "train",
    mirror: bool = False,
    partners: ImageDataset | None = None,
) -> ImageDataset:
    """One split of a dataset folder, memory-mapped; DatasetError when it cannot be used.

    Checksums are not recomputed here: opening stays instant however large the dataset is.
    """
    folder = Path(path)
    manifest, fingerprint = read_manifest(folder)
    if split not in manifest.splits:
        known = ", ".join(manifest.splits)
        raise DatasetError(f"{folder} has no split {split!r}: it has {known}")
    start, stop = manifest.splits[split]
    if start == stop:
        raise DatasetError(
            f"the {split} split of {folder} is empty; build the dataset with more pictures"
        )
    return ImageDataset(
        MappedRows(_mapped_shards(folder, manifest), start, stop),
        manifest.image_spec(),
        labels=_labels(folder, manifest, start, stop),
        name=manifest.name,
        fingerprint=fingerprint,
        mirror=mirror,
        partners=partners,
    )


def free_bytes(device: torch.device) -> int:
    """Memory that can still be taken on a device; MPS shares the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _mapped_shards(folder: Path, manifest: Manifest) -> list[np.ndarray]:
    spec = manifest.spec
    return [
        _mapped(folder / shard.file, (shard.rows, spec.height, spec.width, spec.channels), np.uint8)
        for shard in manifest.shards
    ]


def _labels(folder: Path, manifest: Manifest, start: int, stop: int) -> Labels | None:
    if not manifest.spec.classes:
        return None
    labels = np.array(_mapped(folder / LABELS, (manifest.rows,), np.int32)[start:stop])
    if labels.min() < -1 or labels.max() >= len(manifest.spec.classes):
        raise DatasetError(f"{folder / LABELS} names classes that do not exist; build it again")
    return torch.from_numpy(labels)


def _mapped(file: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{file} is missing from its dataset; build the dataset again") from None
    except (OSError, ValueError, EOFError):
        raise DatasetError(f"{file} is damaged or cut short; build the dataset again") from None
    if array.shape != shape or array.dtype != dtype:
        raise DatasetError(
            f"{file} does not match its dataset.json (it holds {array.dtype} {array.shape}); "
            "build the dataset again"
        )
    return np.asarray(array)
