"""SqueezeNet's shapes with fresh weights, and its published eyesight with the real ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from maquette.core.errors import MaquetteError
from maquette.evaluation.frechet import frechet_distance
from maquette.networks.squeezenet import SqueezeNetFeatures, load_squeezenet


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision would write it: features and a classifier."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    classifier = {"classifier.1.weight": torch.zeros(1000, 512, 1, 1)}
    save_file(SqueezeNetFeatures().state_dict() | classifier, path)
    return path


def test_size_as_published(fresh: Path) -> None:
    """torchvision's squeezenet1_1 has 1,235,496 parameters, 513,000 of them in its classifier."""
    assert sum(p.numel() for p in load_squeezenet(fresh).parameters()) == 1_235_496 - 513_000


def test_grey_reads_like_the_same_picture_in_rgb_whatever_is_beside_it(fresh: Path) -> None:
    network = load_squeezenet(fresh)
    grey = torch.randint(0, 256, (27, 1, 30, 40), dtype=torch.uint8)  # more than one part
    features = network(grey)
    assert features.shape == (27, 512)
    assert torch.allclose(features[26:], network(grey[26:].expand(-1, 3, -1, -1)), atol=1e-5)


def test_a_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.safetensors"
    save_file({"features.0.weight": torch.zeros(3)}, wrong)
    (tmp_path / "text.safetensors").write_text("not tensors at all")
    for path in (wrong, tmp_path / "text.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(MaquetteError, match=f"{path.name} does not hold SqueezeNet"):
            load_squeezenet(path)


def test_real_weights_tell_kinds_of_pictures_apart(real_data: Path) -> None:
    network = load_squeezenet(real_data / "weights" / "squeezenet1_1_imagenet.safetensors")

    def features(folder: str) -> torch.Tensor:
        paths = sorted((real_data / folder).glob("*.jpg"))[:50]
        pictures = [np.asarray(Image.open(p).convert("RGB").resize((96, 96))) for p in paths]
        return network(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))

    horses, zebras = features("horse2zebra/testA"), features("horse2zebra/testB")
    within = frechet_distance(horses[:25], horses[25:])
    assert frechet_distance(horses[:25], zebras[:25]) > 1.3 * within
