"""Pictures without a label, from training to what is kept of them for evaluation."""

from pathlib import Path

import pytest
import torch

import maquette
from conftest import random_pixels
from maquette.core.images import ImageSpec
from maquette.data.building.build import build
from maquette.data.building.choices import Choices
from maquette.data.building.label_columns import parse_label_columns
from maquette.data.dataset import ImageDataset
from maquette.data.sizes import ImageSize
from maquette.recipe import parse_recipe
from maquette.workflows.generating import Generated, save_generated
from maquette.workflows.judges.judge import Eyes, Wish
from picture_files import encoded, noise

TINY = """\
name: tiny
family: artgan
model: {width: 4, latents: 4}
training: {steps: 2, batch_size: 4, device: cpu, precision: fp32}
callbacks: {checkpoint_every_steps: 2, preview_pictures: 4, score_pictures: 4}
"""


def test_training_pictures_without_a_label_are_learnt_and_not_judged_by(tmp_path: Path) -> None:
    """Without held-out ones, the labelled training pictures are asked for by their class."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(["a_0", "a_1", "b_2", "b_3", *"cdefghij"]):
        (photos / f"{name}.png").write_bytes(encoded(noise(number)))
    columns = parse_label_columns(["artist=prefix"])
    choices = Choices(label_columns=columns, holdout=0)
    build([str(photos)], tmp_path / "data", ImageSize(16, 16), choices)
    result = maquette.train(parse_recipe(TINY), tmp_path / "data", tmp_path / "run")
    assert result.outcome == "finished"
    assert result.run.served().entry.facts["score"] is not None


def test_features_are_kept_for_the_pictures_that_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two columns of labels may leave equally many pictures of a dataset, and not the same."""
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path))
    spec = ImageSpec(3, 16, 16, ("a", "b"))
    pixels = random_pixels(6, spec, 0)
    eyes = Eyes(Wish(None, None, lambda *_: None))
    columns = torch.tensor([[-1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, -1]])
    first, second = (
        eyes.real(ImageDataset(pixels, spec, labels=labels, fingerprint="f").labelled(), "holdout")
        for labels in columns
    )
    torch.testing.assert_close(first.features[:4], second.features[1:])
    assert not torch.equal(first.features, second.features)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2
    eyes.real(ImageDataset(pixels[1:], spec), "holdout")
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_classes_with_names_alike_do_not_overwrite_each_other(tmp_path: Path) -> None:
    pixels = random_pixels(4, ImageSpec(1, 8, 8), 0)
    classes = ("a/b", "a b", "A:B", "a_b-2")
    paths = save_generated(Generated(pixels, (0,) * 4, classes, sheet=True), tmp_path)
    assert len({path.name.lower() for path in paths}) == 4
    assert len(list(tmp_path.iterdir())) == 4
