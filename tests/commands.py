"""Running `maquette` as a person does, and the smallest things to run it on."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from maquette.cli.main import main
from maquette.workflows.datasets import build_dataset

STEPS = 8
TINY = f"""\
name: tiny
family: gan
model: {{network: dcgan, width: 4, latents: 4}}
training: {{steps: {STEPS}, batch_size: 4, device: cpu, precision: fp32}}
callbacks:
  checkpoint_every_steps: 4
  preview_every_images: 16
  preview_pictures: 4
  score_pictures: 4
  history_every_steps: 2
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def maquette(*arguments: str | Path) -> Ended:
    """Run a command in this process, through the same entry point as the installed one."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["maquette", *map(str, arguments)]
    with patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            assert isinstance(ended.code, int)
            return Ended(ended.code, out.getvalue(), err.getvalue())
    raise AssertionError("a command ends with an exit code")


def start_maquette(*arguments: str | Path, folder: Path) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "maquette.cli.main", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def make_dataset(folder: Path, *, size: int = 16, classes: tuple[str, ...] = ("a", "b")) -> Path:
    """Twelve pictures of noise a class."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for name in classes:
        np.save(folder / f"{name}.npy", random.integers(0, 256, (12, 16, 16), dtype=np.uint8))
    out = folder / f"{'-'.join(classes)}-{size}"
    build_dataset([folder / f"{name}.npy" for name in classes], out, size)
    return out


def listing(folder: Path) -> set[str]:
    """Every path under a folder, hidden ones included; locks do not count."""
    paths = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return {path for path in paths if not path.endswith(".lock")}
