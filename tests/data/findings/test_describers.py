"""The network sees the same picture alike, whatever its shape, channels and neighbours."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from maquette.core.errors import MaquetteError
from maquette.data.findings.features import Describer, SqueezeNet, described, open_describer
from maquette.data.findings.tones_and_edges import TonesAndEdges
from maquette.data.pictures.content import Raster
from maquette.networks.squeezenet import SqueezeNetFeatures, load_squeezenet
from picture_files import encoded, noise
from planted.surveying import KeptThumbnails


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without biases, or pictures would hardly matter to a network that has learned nothing."""
    torch.manual_seed(0)
    network = SqueezeNetFeatures()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter)
        else:
            torch.nn.init.zeros_(parameter)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    save_file(network.state_dict(), path)
    return path


def test_weights_decide_who_describes(weights: Path) -> None:
    assert isinstance(open_describer(None), TonesAndEdges)
    describer = open_describer(weights)
    assert isinstance(describer, SqueezeNet) and isinstance(describer, Describer)


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"nothing")
    with pytest.raises(MaquetteError, match="does not hold SqueezeNet"):
        open_describer(tmp_path / "w.safetensors")


def test_each_picture_has_a_row_of_its_own(weights: Path) -> None:
    describer = SqueezeNet(weights)
    rasters = [noise(seed, 20 + seed, 40 - seed) for seed in range(18)]  # more than one batch
    rows = describer.describe(iter(rasters))
    assert rows.shape == (18, 512)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows[17:], describer.describe(rasters[17:]), atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_rows_are_roots_of_the_mean_features(weights: Path) -> None:
    raster = noise(0, 192, 192)
    pixels = torch.from_numpy(raster).movedim(2, 0)[None] / 255
    # torchvision's documented normalisation for its ImageNet weights
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (pixels - mean[:, None, None]) / deviation[:, None, None]
    features = load_squeezenet(weights).features(pixels).mean((2, 3))[0].detach().numpy()
    expected = np.sqrt(features / features.sum())
    np.testing.assert_allclose(SqueezeNet(weights).describe([raster])[0], expected, atol=1e-5)


def test_grey_is_described_like_the_same_in_rgb(weights: Path) -> None:
    grey = noise(0, 30, 20, channels=1)
    rows = SqueezeNet(weights).describe([grey, grey.repeat(3, axis=2)])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)


def test_no_pictures_have_no_rows(weights: Path) -> None:
    assert SqueezeNet(weights).describe([]).shape == (0, 512)


class Means:
    name = "means"

    def describe(self, rasters: Iterable[Raster]) -> np.ndarray:
        return np.array([[raster.mean()] for raster in rasters], np.float32)


def test_blocks_hold_every_picture_once() -> None:
    shades = [encoded(np.full((8, 8, 3), shade, np.uint8), "JPEG") for shade in range(256)]
    thumbnails = KeptThumbnails([shades[index % 256] for index in range(1300)])
    pictures = list(range(0, 1300, 2))
    blocks = list(described(Means(), thumbnails, pictures))
    assert len(blocks) > 1
    assert [picture for block, _ in blocks for picture in block] == pictures
    means = np.concatenate([features[:, 0] for _, features in blocks])
    np.testing.assert_allclose(means, np.array(pictures) % 256, atol=1)
