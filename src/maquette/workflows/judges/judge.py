"""What every judge does: look at a family, so that metrics can measure, and draw for people."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from PIL import Image

from maquette.core.family import Family
from maquette.core.images import Pixels
from maquette.data.dataset import ImageDataset
from maquette.evaluation.evidence import Seen
from maquette.evaluation.features import FeatureCache, FeatureKey, Features, cache_folder
from maquette.runs.evaluations import MeasuredOn
from maquette.workflows.feature_choice import open_features

BATCH = 64

Report = Callable[[str, int, int | None], None]  # stage, done, in all
Evidence = TypeVar("Evidence")


@dataclass(frozen=True)
class Wish:
    """What a person asks for; None leaves it to the judge."""

    features: str | None
    count: int | None
    report: Report


class Judge(ABC, Generic[Evidence]):
    """Judges families of one capability; holds what is the same for all checkpoints of a run."""

    measured_on: MeasuredOn
    count: int  # pictures generated, translated or answered

    @abstractmethod
    def look(self, family: Family) -> Evidence:
        """Everything metrics need to know of these weights."""

    @abstractmethod
    def draw(self, evidence: Evidence) -> Mapping[str, Image.Image]:
        """Pictures by file name, one of `runs.folder.PANELS`."""


class Eyes:
    """A feature network, with a cache for what it sees of real pictures."""

    def __init__(self, wish: Wish):
        self._extractor = open_features(wish.features)
        self._cache, self._report = FeatureCache(cache_folder()), wish.report
        about = self._extractor
        self.name = about.name
        self.words = f"{about.name}, weights {about.weights_sha256[:12]}, resized {about.resizer}"

    def real(self, dataset: ImageDataset, part: str) -> Seen:
        """All pictures of a dataset; `part` is what they are called."""
        pixels = dataset.pictures(torch.arange(len(dataset))).cpu()
        features = self.cached(pixels, part)
        return Seen(pixels, features, None if dataset.labels is None else dataset.labels.cpu())

    def cached(self, pixels: Pixels, part: str) -> Features:
        """Features kept for next time, under a digest of these very pictures: which of a dataset
        they are depends on its labels and on the recipe, too."""
        digest = hashlib.sha256(repr(pixels.shape).encode())
        digest.update(pixels.contiguous().numpy().data)
        key = FeatureKey(digest.hexdigest(), part, self._extractor.key, len(pixels))
        return self._cache.cached(key, lambda: self.features(pixels, part))

    def features(self, pixels: Pixels, stage: str) -> Features:
        return self._extractor(pixels, partial(self._report, f"features of {stage}"))
