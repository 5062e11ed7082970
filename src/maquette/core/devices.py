"""The machine: which device, which precision, which process of how many. One switch for all of it.

The only file that imports accelerate (process groups when started by `torchrun`, trackers).
Gradients are averaged per player in one flat reduction, so a family's modules are never wrapped and
its checkpoint keys never change. TPU goes through `torch_tpu` and is untested.
"""

import importlib.util
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from maquette.core.errors import SettingsError

Precision = Literal["auto", "fp32", "bf16"]
_BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


@dataclass(frozen=True)
class Engine:
    """Where and how tensors are computed."""

    device: torch.device
    precision: Literal["fp32", "bf16"]
    rank: int = 0  # of this process
    processes: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which a family computes its losses."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"
        )

    @torch.no_grad()
    def average_over_processes(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over all processes, in one reduction."""
        if self.processes == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self.processes
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def largest(self, value: float) -> float:
        """The largest of all processes' values, so that they decide alike."""
        if self.processes == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor, torch.distributed.ReduceOp.MAX)
        return float(tensor)

    def from_main(self, numbers: Sequence[int]) -> list[int]:
        """The main process's numbers, in every process."""
        if self.processes == 1:
            return list(numbers)
        count = int(self.largest(float(len(numbers) if self.is_main else 0)))
        shared = torch.zeros(count, dtype=torch.int64, device=self.device)
        if self.is_main:
            shared.copy_(torch.tensor(numbers))
        torch.distributed.broadcast(shared, 0)
        return [int(number) for number in shared.tolist()]

    def wait_for_all(self) -> None:
        """Until every process is here."""
        if self.processes > 1:
            torch.distributed.barrier()

    def fingerprint(self) -> dict[str, str | int]:
        """What two runs must share to be equal bit for bit."""
        return {
            "torch": torch.__version__,
            "device": self.device.type,
            "hardware": hardware_name(self.device),
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "processes": self.processes,
        }


def start_engine(device: str = "auto", precision: Precision = "auto") -> Engine:
    """The engine for a setting such as "auto", "cpu", "cuda", "cuda:1", "mps" or "tpu".

    Raises SettingsError when the machine does not have what is asked for.
    """
    rank, processes = _processes(device)
    chosen = _device(device, rank)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    return Engine(chosen, _precision(precision, chosen), rank, processes)


@runtime_checkable
class Tracker(Protocol):
    """What accelerate's tracker adapters have in common."""

    def start(self) -> None: ...

    def log(self, values: dict[str, float], step: int | None = None) -> None: ...

    def finish(self) -> None: ...


def start_tracker(name: str, folder: Path) -> Tracker:
    """Start a tracker by accelerate's name for it. SettingsError when it is not installed."""
    from accelerate.state import PartialState
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    PartialState()  # the adapters ask it which process is the main one
    installed = [str(tracker) for tracker in get_available_trackers()]
    if name not in installed:
        raise SettingsError(
            f"callbacks.trackers: {name} is not installed here "
            f"(installed: {', '.join(installed) or 'none'}); try `pip install {name}`"
        )
    adapter = LOGGER_TYPE_TO_CLASS[name]
    wants_folder = adapter.requires_logging_directory
    tracker: Tracker = (
        adapter(folder.name, logging_dir=folder / "trackers")
        if wants_folder
        else adapter(folder.name)
    )
    tracker.start()
    return tracker


def hardware_name(device: torch.device) -> str:
    """The name that decides whether results repeat bit for bit."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else device.type


def _processes(device: str) -> tuple[int, int]:
    """This process's rank and their number, as `torchrun` set them."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return 0, 1
    from accelerate.state import PartialState

    state = PartialState(cpu=device == "cpu")
    return state.process_index, state.num_processes


def _device(name: str, rank: int) -> torch.device:
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        return _numbered(found, rank) if found is not None else torch.device("cpu")
    if name == "tpu" and importlib.util.find_spec("torch_tpu") is None:
        raise SettingsError("the device tpu needs the package torch_tpu, which is not installed")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(
            f"the device {name!r} cannot be used on this machine: try auto or cpu"
        ) from error
    return _numbered(device, rank)


def _numbered(device: torch.device, rank: int) -> torch.device:
    if device.type == "cuda" and ":" not in str(device):
        return torch.device("cuda", rank % torch.cuda.device_count())
    return device


def _precision(wanted: Precision, device: torch.device) -> Literal["fp32", "bf16"]:
    """bf16 only where the hardware multiplies in it: emulated, it is 10 to 20 times slower."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return "bf16" if any(able.get(name) for name in _BF16_INSTRUCTIONS) else "fp32"
    return "fp32"
