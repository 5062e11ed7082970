"""What films are translated with: the network of pictures, but for rounding."""

import numpy as np
import pytest
import torch

from films import scene
from maquette.core.images import Images, ImageSpec, to_float
from maquette.families.cyclegan import CycleGan, CycleGanSettings
from maquette.workflows.translating_engines import OnnxNetwork
from maquette.workflows.translating_networks import PictureTranslator
from maquette.workflows.translating_quickly import QuickNetwork, passes_at_once, torch_threads

LEVEL = 1 / 127.5


@pytest.fixture(scope="module", params=["residual", "unet", "light"])
def translator(request: pytest.FixtureRequest) -> PictureTranslator:
    torch.manual_seed(0)
    settings = CycleGanSettings(network=request.param, width=8, blocks=2, start="random")
    spec = ImageSpec(channels=3, height=32, width=32, classes=("day", "night"))
    return PictureTranslator(CycleGan(settings, spec).eval(), "a_to_b")


def frames() -> Images:
    return to_float(torch.from_numpy(np.stack(scene(5))).permute(0, 3, 1, 2))


@torch.inference_mode()
def test_the_same_pictures_whole_batches_at_once(translator):
    expected = torch.cat([translator.network(one) for one in torch.split(frames(), 1)])
    assert (QuickNetwork(translator)(frames()) - expected).abs().max() < 0.1 * LEVEL
    apart = (QuickNetwork(translator, bf16=True)(frames()) - expected).abs()
    assert 0 < apart.mean() < 1.5 * LEVEL


@torch.inference_mode()
def test_onnx_runtime_computes_the_same(translator):
    pytest.importorskip("onnxscript")
    images = frames()
    expected = torch.cat([translator.network(one) for one in torch.split(images, 1)])
    made = OnnxNetwork(translator, *images.shape[2:])(images)
    assert (made - expected).abs().max() < 0.1 * LEVEL


@torch.inference_mode()
def test_the_translator_itself_stays_as_it_is(translator):
    before = translator.network(frames())
    QuickNetwork(translator)(frames())
    assert translator.network(frames()).equal(before)


def test_large_pictures_get_all_threads_and_small_ones_one_each(translator):
    with torch_threads(4):
        found = [passes_at_once(translator, side, side) for side in (64, 256, 700, 2000)]
    assert found == [4, 4, 2, 1]


def test_torch_gets_its_threads_back():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
