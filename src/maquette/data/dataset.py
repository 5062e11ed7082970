"""What to learn from: pictures with random access to the batch of any step.

A batch is a function of (seed, step) alone, whether the pictures are resident on a device or
streamed from disk, so there is no iterator state to save and a resumed run repeats itself.
"""

from pathlib import Path

import psutil  # type: ignore[import-untyped]
import torch
from jaxtyping import Bool
from torch import Tensor

from maquette.core.errors import DatasetError
from maquette.core.images import Batch, Images, ImageSpec, Labels, Pixels, Seeds, to_float
from maquette.core.randomness import picture_seeds
from maquette.data.manifest import Manifest, read_manifest
from maquette.data.mapping import mapped_labels, mapped_shards, mapped_strokes
from maquette.data.moving import NO_MOVES, Moves
from maquette.data.orders import BalancedOrder, Order, ShuffledOrder
from maquette.data.redrawing import Redrawing
from maquette.data.rows import ChosenRows, MappedRows, ResidentRows, RowNumbers, Rows
from maquette.data.settings import StrokeSettings

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
        moves: Moves = NO_MOVES,
        balance_classes: bool = False,
        partners: "ImageDataset | None" = None,
        redrawing: Redrawing | None = None,
        left_out: int = 0,
        device: torch.device | str = "cpu",
    ):
        """`moves` are made by the pictures of every batch, drawn anew each time.
        `balance_classes` shows every class equally often; DatasetError where there are none.

        `redrawing` is there for drawings whose strokes are known, and may change them in batches.
        `left_out` counts the pictures that are not in it for want of a label.
        """
        self._rows = ResidentRows(pixels) if isinstance(pixels, Tensor) else pixels
        self.spec, self.name, self.fingerprint = spec, name, fingerprint
        self.device = torch.device(device)
        self.labels = None if labels is None else labels.long().to(self.device)
        self.moves, self.partners, self._redrawing = moves, partners, redrawing
        self.balance_classes, self.left_out = balance_classes, left_out
        self._order = self._chosen_order()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def epoch_pictures(self) -> int:
        """Pictures of an epoch: of two domains those of the smaller, so that phases suit it."""
        return len(self) if self.partners is None else min(len(self), len(self.partners))

    @property
    def resident(self) -> bool:
        """Whether every picture is in memory already, so that fetching ahead gains nothing."""
        return (
            isinstance(self._rows, ResidentRows)
            and not (self._redrawing is not None and self._redrawing.altering)
            and (self.partners is None or self.partners.resident)
        )

    @property
    def stroke_channels(self) -> bool:
        """Whether the channels are ink, order of the strokes and progress of the pen."""
        return self._redrawing is not None and self._redrawing.stroke_channels

    @property
    def keeps_strokes(self) -> bool:
        """Whether every picture is a drawing that can be drawn again, or in part."""
        return self._redrawing is not None

    def batch(self, step: int, size: int, seed: int, *, part: tuple[int, int] = (0, 1)) -> Batch:
        """The batch of this step, or this (rank, world) process's equal part of it.

        `size` counts the whole batch and may exceed the dataset; every epoch shows every picture
        exactly once, in an order of its own, unless classes are balanced. Images are channels_last
        on `self.device`.
        """
        rank, world = part
        assert size % world == 0, "a batch is divided evenly between processes"
        seeds = picture_seeds(size, seed, "batch", step).chunk(world)[rank]
        positions = torch.arange(step * size, (step + 1) * size).chunk(world)[rank]
        rows = self._order.rows(positions, seed, "images")
        labels = None if self.labels is None else self.labels[rows.to(self.device)]
        partners = None
        if self.partners is not None:
            partner_rows = self.partners._order.rows(positions, seed, "partners")
            partners = self.partners._images(partner_rows, seeds, " partners")
        return Batch(
            images=self._images(rows, seeds),
            seeds=seeds.to(self.device),
            labels=labels,
            partners=partners,
        )

    def pictures(self, rows: RowNumbers) -> Pixels:
        """These rows as stored, in this order, on `self.device`; for evaluation and reports."""
        return self._rows.read(rows).to(self.device)

    def partial_pictures(self, rows: RowNumbers, share: float) -> Pixels:
        """These rows as they were when `share` of each drawing's points, 0 to 1, had been drawn.

        DatasetError for a dataset without strokes.
        """
        if self._redrawing is None:
            raise DatasetError(_no_strokes(self.name, "unfinished drawings"))
        return self._redrawing.partial(rows, share).to(self.device)

    def domain(
        self, label: int, spec: ImageSpec, partners: "ImageDataset | None" = None
    ) -> "ImageDataset":
        """The pictures of one class alone, without labels; `spec` names the domains.

        DatasetError when there are none.
        """
        assert self.labels is not None
        lack = f"keeps no pictures of {self.spec.classes[label]!r}"
        chosen = self._chosen(self.labels == label, lack)
        chosen.spec, chosen.labels, chosen.partners = spec, None, partners
        chosen.balance_classes = False
        chosen._order = chosen._chosen_order()
        return chosen

    def labelled(self) -> "ImageDataset":
        """Without the pictures that have no label (-1); itself where all have one, or none can.

        DatasetError when none is left.
        """
        if self.labels is None or bool((self.labels >= 0).all()):
            return self
        chosen = self._chosen(self.labels >= 0, "has no picture with a label")
        chosen.left_out += len(self) - len(chosen)
        return chosen

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
            moves=self.moves,
            balance_classes=self.balance_classes,
            partners=None if self.partners is None else self.partners.on(device),
            redrawing=self._redrawing,
            left_out=self.left_out,
            device=device,
        )

    def _chosen(self, which: Bool[Tensor, " pictures"], lack: str) -> "ImageDataset":
        """Those pictures with their labels; DatasetError, saying `lack`, when there are none."""
        assert self.labels is not None
        numbers = which.nonzero()[:, 0]
        if not len(numbers):
            raise DatasetError(f"{self.name} {lack} in this split: build it with more of them")
        return ImageDataset(
            ChosenRows(self._rows, numbers),
            self.spec,
            labels=self.labels[numbers],
            name=self.name,
            fingerprint=self.fingerprint,
            moves=self.moves,
            balance_classes=self.balance_classes,
            partners=self.partners,
            redrawing=None if self._redrawing is None else self._redrawing.chosen(numbers),
            left_out=self.left_out,
            device=self.device,
        )

    def _chosen_order(self) -> Order:
        if not self.balance_classes:
            return ShuffledOrder(len(self))
        if self.labels is None:
            raise DatasetError(
                f"the dataset {self.name} has no classes to balance: set data.balance_classes to "
                "false"
            )
        return BalancedOrder(self.labels)

    def _images(self, rows: RowNumbers, seeds: Seeds, whose: str = "") -> Images:
        if self._redrawing is not None and self._redrawing.altering:
            images = to_float(self._redrawing.altered(rows, seeds).to(self.device))
        else:
            images = to_float(self.pictures(rows))
        return self.moves.moved(images, seeds, whose)


def open_dataset(
    path: Path | str,
    split: str = "train",
    moves: Moves = NO_MOVES,
    partners: ImageDataset | None = None,
    strokes: StrokeSettings | None = None,
    balance_classes: bool = False,
    label: str | None = None,
) -> ImageDataset:
    """One split of a dataset folder, memory-mapped; DatasetError when it cannot be used.

    `strokes` says how batches of drawings are changed, where their strokes are kept;
    `balance_classes` shows every class equally often; `label` names one of several label columns.
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
        MappedRows(mapped_shards(folder, manifest), start, stop),
        manifest.image_spec(label),
        labels=mapped_labels(folder, manifest, start, stop, label),
        name=manifest.name,
        fingerprint=fingerprint,
        moves=moves,
        balance_classes=balance_classes,
        partners=partners,
        redrawing=_redrawing(folder, manifest, start, stop, strokes or StrokeSettings()),
    )


def free_bytes(device: torch.device) -> int:
    """Memory that can still be taken on a device; MPS shares the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _redrawing(
    folder: Path, manifest: Manifest, start: int, stop: int, settings: StrokeSettings
) -> Redrawing | None:
    strokes = mapped_strokes(folder, manifest, start, stop)
    if strokes is not None:
        spec = manifest.image_spec()
        return Redrawing(strokes, spec, manifest.policy.stroke_channels, settings)
    if settings.change:
        raise DatasetError(_no_strokes(manifest.name, "data.strokes"))
    return None


def _no_strokes(name: str, asked: str) -> str:
    return (
        f"{asked} cannot be had from {name}, which keeps no pen strokes: build it again, from "
        "drawings (.ndjson) alone"
    )
