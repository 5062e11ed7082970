"""What the machine can do is asked, never assumed; what it cannot is told in a sentence."""

import pytest
import torch

from maquette.core.devices import start_engine, start_tracker
from maquette.core.errors import SettingsError


def test_the_cpu_is_always_there():
    engine = start_engine("cpu", "fp32")
    assert (engine.device.type, engine.precision, engine.processes) == ("cpu", "fp32", 1)
    assert engine.is_main


def test_auto_finds_a_device_that_works():
    engine = start_engine("auto", "auto")
    assert torch.ones(2, device=engine.device).sum() == 2
    assert engine.precision in ("fp32", "bf16")


@pytest.mark.parametrize("name", ["no-such-device", "tpu", "cuda:99", "mps:7", ""])
def test_what_is_not_there_is_refused(name):
    with pytest.raises(SettingsError, match="device"):
        start_engine(name)


def test_autocast_follows_the_precision():
    matrix = torch.ones(4, 4)
    with start_engine("cpu", "bf16").autocast():
        assert (matrix @ matrix).dtype == torch.bfloat16
    with start_engine("cpu", "fp32").autocast():
        assert (matrix @ matrix).dtype == torch.float32


def test_one_process_averages_with_itself():
    tensors = [torch.arange(3.0), torch.ones(2, 2)]
    engine = start_engine("cpu")
    engine.average_over_processes(tensors)
    assert tensors[0].tolist() == [0, 1, 2]
    assert engine.largest(2.5) == 2.5


def test_a_tracker_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(SettingsError, match="pip install comet_ml"):
        start_tracker("comet_ml", tmp_path)


def test_tensorboard_gets_what_it_is_told(tmp_path):
    pytest.importorskip("tensorboard")
    tracker = start_tracker("tensorboard", tmp_path / "run")
    tracker.log({"loss": 0.5}, step=1)
    tracker.finish()
    assert list((tmp_path / "run").rglob("events.out.tfevents.*"))
