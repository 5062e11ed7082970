"""Judges what translates pictures: held-out ones, in each direction that was learnt.

Training pictures are never translated, for a translator may know them by heart. They are compared
with, as usual, where distances ask for real pictures of a domain.
"""

from collections.abc import Mapping
from functools import partial

import torch
from PIL import Image

from maquette.core.errors import RunError
from maquette.core.family import Family, Translates
from maquette.core.images import Pixels
from maquette.core.pictures import grid
from maquette.core.randomness import shuffled
from maquette.data.dataset import ImageDataset
from maquette.evaluation.evidence import Evidence, Seen, Translation
from maquette.evaluation.features import Features
from maquette.evaluation.metrics.translations import Translations
from maquette.runs.asking import translated
from maquette.workflows.judges.judge import BATCH, Eyes, Judge, Wish
from maquette.workflows.judges.material import Material

FEWEST = 8  # held-out pictures of each domain: below, no distance says anything
SHOWN = 8  # pictures of each domain on the panel


class TranslatorJudge(Judge[Translations]):
    """Looks at both domains through one feature network."""

    def __init__(self, material: Material, wish: Wish):
        domains = _by_domain(material.held_out)
        fewest = min(len(domain) for domain in domains.values())
        if min(fewest, wish.count or fewest) < FEWEST:
            raise RunError(
                f"{material.run.folder} cannot be measured: it takes {FEWEST} held-out pictures of "
                f"each domain, and there are {fewest} of the smaller one; build the dataset with a "
                "larger --holdout, or judge by others with --data"
            )
        self.eyes, self.report, self.foreign = Eyes(wish), wish.report, material.foreign
        names = material.run.spec.classes
        self.names = dict(zip("ab", names, strict=True))
        part = "all" if material.foreign else "holdout"
        self.holdout = {
            key: _some(self.eyes.real(domain, f"{part} {self.names[key]}"), wish.count)
            for key, domain in domains.items()
        }
        self.train: dict[str, Seen] = {}
        self.mirrored: dict[str, Features] = {}
        for key, domain in _by_domain(material.train()).items():
            name = f"train {self.names[key]}"
            self.train[key] = self.eyes.real(domain, name)
            self.mirrored[key] = self.eyes.cached(
                self.train[key].pixels.flip(-1), f"{name} mirrored"
            )
        self.count = sum(len(seen) for seen in self.holdout.values())
        self.measured_on = material.measured_on(self.count)

    def look(self, family: Family) -> Translations:
        assert isinstance(family, Translates)
        return tuple(self._translation(family, direction) for direction in family.directions)

    def _translation(self, family: Translates, direction: str) -> Translation:
        source, _, target = direction.partition("_to_")
        name = f"{self.names[source]} → {self.names[target]}"
        before, real = self.holdout[source], self.holdout[target]
        after = self._translated(family, before.pixels, direction, name)
        back = f"{target}_to_{source}"
        returned = None
        if back in family.directions:
            returned = self._translated(family, after, back, f"{name}, and back")
        return Translation(
            name=name,
            pictures=Evidence(
                generated=Seen(after, self.eyes.features(after, f"translations {name}")),
                noise=before,
                train=self.train[target],
                holdout=real,
                mirrored=self.mirrored[target],
                features=self.eyes.words,
                network=self.eyes.name,
                foreign=self.foreign,
            ),
            unchanged=self._translated(
                family, real.pixels, direction, f"what is {self.names[target]} already"
            ),
            returned=returned,
        )

    def _translated(self, family: Translates, pixels: Pixels, direction: str, what: str) -> Pixels:
        return translated(
            family, pixels, direction, BATCH, partial(self.report, f"translating {what}")
        )

    def draw(self, evidence: Translations) -> Mapping[str, Image.Image]:
        """Pictures before and after, and after the way back, a row each."""
        rows: list[tuple[str, Pixels]] = []
        for translation in evidence:
            source, _, target = translation.name.partition(" → ")
            rows.append((source, translation.pictures.noise.pixels))
            rows.append((f"to {target}", translation.pictures.generated.pixels))
            if translation.returned is not None:
                rows.append((f"back to {source}", translation.returned))
        shown = min(SHOWN, *(len(pixels) for _, pixels in rows))
        tiles = torch.cat([pixels[:shown] for _, pixels in rows])
        names = [name for name, _ in rows]
        return {"translations.png": grid(tiles, shown, row_names=names, min_tile_px=96)}


def _by_domain(dataset: ImageDataset) -> dict[str, ImageDataset]:
    assert dataset.partners is not None
    return {"a": dataset, "b": dataset.partners}


def _some(seen: Seen, most: int | None) -> Seen:
    """In an order by chance, the same every time: the first stand for all."""
    return seen.at(shuffled(len(seen), "pictures to translate")[:most])
