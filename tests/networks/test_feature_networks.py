"""Eyes: prepared as published, the same in blocks, and telling pictures apart."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from maquette.core.errors import MaquetteError
from maquette.evaluation.frechet import frechet_distance
from maquette.networks.feature_networks import RandomFeatures, Standardised, weights_sha256
from maquette.networks.inception import InceptionFeatures, load_inception


def crops(photograph: int, count: int = 60, side: int = 48) -> torch.Tensor:
    chance = np.random.default_rng(photograph)
    pixels = load_sample_images().images[photograph]
    places = chance.integers(0, [pixels.shape[0] - side, pixels.shape[1] - side], (count, 2))
    squares = np.stack([pixels[t : t + side, x : x + side] for t, x in places])
    return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()


@pytest.mark.parametrize(
    ("mode", "filter_"),
    [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)],
)
@pytest.mark.parametrize("size", [(20, 30), (70, 60)])
def test_resized_as_pillow_does_in_float(
    mode: str, filter_: Image.Resampling, size: tuple[int, int]
) -> None:
    """clean-fid's reference: Pillow, each channel as float, so nothing is rounded."""
    picture = crops(0, 1)
    ours = Standardised(size, mode, [0.0] * 3, [1 / 255] * 3)(picture)[0]
    for channel in range(3):
        plane = Image.fromarray(picture[0, channel].numpy().astype(np.float32), mode="F")
        theirs = np.asarray(plane.resize(size[::-1], filter_))
        np.testing.assert_allclose(ours[channel], theirs, atol=0.01)


def test_random_features_are_the_same_everywhere_and_for_ever() -> None:
    network = RandomFeatures()
    assert weights_sha256(network)[:16] == "954fff67cb9891ac"
    assert network(crops(0, 9)).shape == (9, network.dimensions)


def test_random_features_keep_their_scale_and_see_contrast() -> None:
    features = RandomFeatures()(crops(1))
    assert 0.1 < features.mean() < 2
    assert (features.std(0) > 1e-3).float().mean() > 0.95  # few of them never see anything


def test_random_features_tell_places_apart_and_order_degradations() -> None:
    network, pictures = RandomFeatures(), crops(0)
    half = len(pictures) // 2
    reference = network(pictures[:half])

    def distance(others: torch.Tensor) -> float:
        return frechet_distance(reference, network(others))

    same = distance(pictures[half:])
    assert distance(crops(1)[half:]) > 3 * same
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(pictures[half:].shape, generator=generator)
    noisy = [
        distance((pictures[half:] + level * noise).clamp(0, 255).to(torch.uint8))
        for level in (10, 30, 90)
    ]
    assert same < noisy[0] < noisy[1] < noisy[2]


def test_blocks_and_threads_change_nothing() -> None:
    network, pictures = RandomFeatures(), crops(0, 11)
    alone = torch.cat([network(picture[None]) for picture in pictures])
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        together = network(pictures)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert torch.allclose(alone, together, rtol=1e-5, atol=1e-6)
    assert torch.equal(together, network(pictures))


def test_hash_follows_every_weight_but_no_layout() -> None:
    network = torch.nn.Conv2d(2, 2, 3)
    before = weights_sha256(network)
    assert weights_sha256(network.to(memory_format=torch.channels_last)) == before
    with torch.no_grad():
        network.bias[1] += 1e-3
    assert weights_sha256(network) != before


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the port's: features and a classifier of 1008 classes."""
    torch.manual_seed(0)
    network = InceptionFeatures()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
            torch.nn.init.normal_(layer.running_mean, 0, 0.1)
            torch.nn.init.constant_(layer.weight, 1.7)
    classifier = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.layers.state_dict() | classifier, path)
    return path


def test_inception_is_as_large_as_published() -> None:
    """torch-fidelity's has 23,850,960 with its classifier of 2049 x 1008."""
    parameters = sum(p.numel() for p in InceptionFeatures().parameters())
    assert parameters == 23_850_960 - 2049 * 1008


def test_inception_has_the_names_and_layout_of_its_port() -> None:
    layers = InceptionFeatures().layers
    names = layers.state_dict().keys()
    assert len(names) == 94 * 6  # convolutions, each with five entries of its batch norm
    for name in (
        "Conv2d_1a_3x3.conv.weight",
        "Mixed_5d.branch3x3dbl_3.bn.running_var",
        "Mixed_6a.branch3x3.conv.weight",
        "Mixed_6e.branch7x7dbl_5.bn.bias",
        "Mixed_7a.branch7x7x3_4.conv.weight",
        "Mixed_7c.branch3x3dbl_3b.conv.weight",
    ):
        assert name in names
    x, sizes = torch.zeros(1, 3, 299, 299), []
    with torch.no_grad():
        for layer in layers.eval():
            x = layer(x)
            sizes.append(tuple(x.shape[1:]))
    # Szegedy et al. 2016, table 1.
    for size in ((64, 73, 73), (192, 35, 35), (288, 35, 35), (768, 17, 17), (2048, 8, 8)):
        assert size in sizes


def test_inception_means_leave_padding_out_and_the_last_block_takes_a_maximum() -> None:
    layers = InceptionFeatures().layers.eval()
    for name, pooled in (("Mixed_7b", 1.0), ("Mixed_7c", 5.0)):
        block = layers.get_submodule(name)
        seen = []
        block.get_submodule("branch_pool").register_forward_hook(
            lambda _, inputs, __, seen=seen: seen.append(inputs[0])
        )
        x = torch.ones(1, 1280 if name == "Mixed_7b" else 2048, 8, 8)
        x[:, :, 4, 4] = 5
        with torch.no_grad():
            block(x)
        assert seen[0][0, 0, 0, 0] == 1  # at the corner, where zeros would lower a mean
        assert math.isclose(seen[0][0, 0, 3, 3], 13 / 9 if pooled == 1 else 5, rel_tol=1e-6)


def test_folding_batch_norms_changes_nothing(inception_weights: Path) -> None:
    folded = load_inception(inception_weights)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    plain = InceptionFeatures().eval()
    stored = torch.load(inception_weights, weights_only=True)
    plain.layers.load_state_dict({k: t for k, t in stored.items() if not k.startswith("fc.")})
    pictures = crops(0, 2)
    expected = plain(pictures)
    assert expected.std() > 0
    assert (folded(pictures) - expected).abs().max() < 1e-4 * expected.abs().max()


def test_inception_refuses_what_does_not_fit_and_never_runs_a_pickle(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(3)}, tmp_path / "small.pth")
    torch.save({"a": Trap()}, tmp_path / "trap.pth")
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("no tensors at all")
    for name in ("small", "trap", "list", "text", "missing"):
        with pytest.raises(MaquetteError, match=f"{name}.pth does not hold the FID weights"):
            load_inception(tmp_path / f"{name}.pth")
    assert not (tmp_path / "sprung").exists()
