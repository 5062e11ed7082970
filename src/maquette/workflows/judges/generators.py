"""Judges what makes pictures from nothing: its pictures beside real ones and pictures of noise."""

from collections.abc import Mapping
from functools import partial

import torch
from PIL import Image

from maquette.core.errors import RunError
from maquette.core.family import Family, Generates
from maquette.core.pictures import grid
from maquette.core.randomness import derived_seed
from maquette.evaluation.evidence import Evidence, Seen
from maquette.evaluation.metrics.memory import copies_in_features
from maquette.runs.asking import generated
from maquette.workflows.generating import seeds_of
from maquette.workflows.judges.judge import BATCH, Eyes, Judge, Wish
from maquette.workflows.judges.material import Material

MANY_PICTURES, FEW_PICTURES = 5000, 1000  # made; few where there are few real ones:
FEW_REAL = 2000
FEWEST, FEWEST_HELD_OUT = 8, 2  # pictures on each side of a distance; kept aside
FIRST_SEED = 10_000  # far from those that people ask for, so that nobody picked what is judged
NEIGHBOUR_ROWS = 12  # pictures on the panel of neighbours


class GeneratorJudge(Judge[Evidence]):
    """Makes pictures from seeds nobody has asked for."""

    def __init__(self, material: Material, wish: Wish):
        self.spec, self.report, self.foreign = material.run.spec, wish.report, material.foreign
        train, held_out = material.train(), material.held_out
        real = len(held_out) + (0 if material.foreign else len(train))
        self.count = wish.count or (MANY_PICTURES if real >= FEW_REAL else FEW_PICTURES)
        if min(self.count, real // 2) < FEWEST or len(held_out) < FEWEST_HELD_OUT:
            raise RunError(
                f"{material.run.folder} cannot be measured with {self.count} pictures made, {real} "
                f"real and {len(held_out)} of them kept aside: {FEWEST}, {2 * FEWEST} and "
                f"{FEWEST_HELD_OUT} are the least"
            )
        self.eyes = Eyes(wish)
        self.measured_on = material.measured_on(len(held_out))
        self.train = self.eyes.real(train, "train")
        self.holdout = self.eyes.real(held_out, "all" if material.foreign else "holdout")
        self.mirrored = self.eyes.cached(self.train.pixels.flip(-1), "train mirrored")
        self.labels = None
        if self.spec.classes:
            self.labels = torch.arange(self.count) % len(self.spec.classes)
        self.noise = self._noise()

    def look(self, family: Family) -> Evidence:
        assert isinstance(family, Generates)
        seeds = seeds_of(range(FIRST_SEED, FIRST_SEED + self.count))
        pixels = generated(family, self.labels, seeds, BATCH, partial(self.report, "generating"))
        return Evidence(
            generated=Seen(pixels, self.eyes.features(pixels, "generated pictures"), self.labels),
            noise=self.noise,
            train=self.train,
            holdout=self.holdout,
            mirrored=self.mirrored,
            features=self.eyes.words,
            network=self.eyes.name,
            classes=self.spec.classes,
            foreign=self.foreign,
        )

    def draw(self, evidence: Evidence) -> Mapping[str, Image.Image]:
        """The pictures most like copies, each beside its nearest training picture."""
        if min(len(evidence.train), len(evidence.holdout)) < 2:
            return {}
        found = copies_in_features(evidence)
        worst = found.score.argsort()[:NEIGHBOUR_ROWS]
        pairs = torch.stack(
            [evidence.generated.pixels[worst], evidence.train.pixels[found.nearest_index[worst]]], 1
        )
        return {"neighbours.png": grid(pairs.flatten(0, 1), columns=6)}

    def _noise(self) -> Seen:
        """As many pictures of nothing as are made: every value drawn by itself."""
        shape = (self.count, *self.spec.shape)
        random = torch.Generator().manual_seed(derived_seed(0, "pictures of noise"))
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
        return Seen(pixels, self.eyes.cached(pixels, "noise"), self.labels)
