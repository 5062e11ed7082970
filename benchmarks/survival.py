"""Pull the plug at random instants and see whether the run goes on as if nothing had happened.

    python benchmarks/survival.py --kills 50

A short run (built-in digits, small networks) is trained once undisturbed. Then it is trained again
and killed with SIGKILL at random instants, every second time while a checkpoint is being written,
and started again by the same call each time, until so many kills are done; a run that reaches its
end is compared and another begun.
Every finished run must equal the undisturbed one byte for byte, and every start must find a sound
checkpoint. Exits with 1 when one does not.
"""

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import torch

from maquette.training.checkpoints import CheckpointStore
from maquette.workflows.datasets import build_dataset
from maquette.workflows.training import train

RECIPE = """
name: survival
family: gan
model: {width: 8, latents: 16}
training: {steps: 40, batch_size: 8, device: cpu}
callbacks:
  checkpoint_every_steps: 4
  preview_every_images: 80
  preview_pictures: 4
  score_pictures: 16
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(survive(Path(folder), arguments.kills, random.Random(arguments.seed)))


def survive(folder: Path, kills: int, chance: random.Random) -> int:
    """The exit code: 0 when every continuation was exact."""
    recipe, data = folder / "survival.yaml", folder / "digits"
    recipe.write_text(RECIPE)
    build_dataset(["builtin:digits"], data, 16)
    whole = folder / "whole"
    started = time.monotonic()
    _wait(_start(recipe, data, whole))
    seconds = time.monotonic() - started
    expected = digest(whole)

    done, unreadable, finished = 0, 0, 0
    while done < kills or finished == 0:
        run = folder / f"run-{finished}"
        child = _start(recipe, data, run)
        store = CheckpointStore(run / "checkpoints")
        patience = chance.uniform(0.0, 0.6 * seconds)
        if done < kills and _killed(child, patience, store, at_save=done % 2 == 1):
            done += 1
            unreadable += _lost(store)
            continue
        _wait(child)
        if digest(run) != expected:
            print(f"FAILED: {run.name} ended with other weights after {done} kills")
            return 1
        finished += 1
    print(
        f"{done} kills ({done // 2} of them while a checkpoint was being written), {done} "
        f"continuations, {finished} finished runs, all byte-identical to the undisturbed one; "
        f"{unreadable} unreadable checkpoints; {time.monotonic() - started:.0f} s"
    )
    return int(unreadable > 0)


def digest(run: Path) -> str:
    """SHA-256 over the final weights, averages and optimizer state."""
    newest = CheckpointStore(run / "checkpoints").entries()[-1]
    hashes = (hashlib.sha256(f.read_bytes()) for f in sorted(newest.folder.glob("*.safetensors")))
    return f"{newest.step}:" + ":".join(h.hexdigest() for h in hashes)


def _lost(store: CheckpointStore) -> bool:
    """Whether there are checkpoints but the newest complete one cannot be read."""
    _, passed_over = store.newest_sound()
    return bool(passed_over)


def _start(recipe: Path, data: Path, run: Path) -> int:
    """The call behind `maquette train`, in a process of its own (forked, so torch is loaded)."""
    if child := os.fork():
        return child
    code = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        train(str(recipe), data, run)
        code = 0
    finally:
        os._exit(code)


def _killed(child: int, after_seconds: float, store: CheckpointStore, at_save: bool) -> bool:
    """Kill the child after a while, or at the next save then; False when it had ended before."""
    deadline, started = time.monotonic() + after_seconds, time.time()
    while time.monotonic() < deadline or (at_save and not _is_writing(store, started)):
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return _not_again(child)
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _is_writing(store: CheckpointStore, since: float) -> bool:
    """Whether a checkpoint is half written: a folder that an earlier kill left does not count."""
    for folder in store.folder.glob(".*.writing"):
        with suppress(FileNotFoundError):  # finished just now
            if folder.stat().st_mtime > since:
                return True
    return False


def _not_again(child: int) -> bool:
    _ENDED.add(child)
    return False


_ENDED: set[int] = set()


def _wait(child: int) -> None:
    if child in _ENDED:  # and collected
        return
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit("FAILED: a continuation ended with an error")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
