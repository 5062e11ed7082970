"""Checkpoints that truly save everything, survive a kill at any instant, and run no code when read.

One folder a checkpoint: safetensors files and a manifest with their SHA-256. It is written under a
temporary name, synced to the disk, renamed, the parent synced, and only then are older ones pruned;
so the newest complete checkpoint is always whole. A background thread writes, from a copy.
"""

import json
import math
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from maquette.core.errors import RunError

FORMAT = 1
MANIFEST = "manifest.json"
ASIDE = "aside"  # the folder of the best checkpoint of steps that were given up


@dataclass(frozen=True)
class Snapshot:
    """Everything a run needs to go on: tensors by file, and plain facts."""

    step: int
    tensors: Mapping[str, Mapping[str, Tensor]]  # file stem -> name -> tensor
    facts: Mapping[str, Any]  # JSON: seconds, attempt, guard, score …

    def is_finite(self) -> bool:
        return all(
            bool(tensor.isfinite().all())
            for tensors in self.tensors.values()
            for tensor in tensors.values()
            if tensor.is_floating_point()
        )


@dataclass(frozen=True)
class Entry:
    """A checkpoint on disk, as its manifest tells."""

    step: int
    folder: Path
    facts: Mapping[str, Any]

    @property
    def score(self) -> float:
        """Lower is better; infinite when it was not judged."""
        score = self.facts.get("score")
        return math.inf if score is None else float(score)

    def changes_since(self, fingerprint: Mapping[str, Any]) -> list[str]:
        """How this machine differs from the one that saved it: "precision fp32 → bf16" …"""
        before = self.facts["fingerprint"]
        return [
            f"{key} {before.get(key)} → {now}"
            for key, now in fingerprint.items()
            if now != before.get(key)
        ]


class CheckpointStore:
    """The `checkpoints/` folder of a run."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._writer: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    # Reading

    def entries(self) -> list[Entry]:
        """The complete checkpoints, oldest first. Raises RunError on one of a newer version."""
        folders = sorted(path.parent for path in self.folder.glob(f"*/{MANIFEST}"))
        found = (_entry(folder) for folder in folders if folder.name.isdigit())
        return [entry for entry in found if entry is not None]

    def set_aside(self) -> list[Entry]:
        """The complete checkpoint kept of steps that were given up, for its score; mostly none."""
        found = [_entry(path.parent) for path in self.folder.glob(f"{ASIDE}/*/{MANIFEST}")]
        return [entry for entry in found if entry is not None]

    def newest_sound(self) -> tuple[Entry | None, list[str]]:
        """The newest checkpoint whose checksums agree, and why newer ones were passed over."""
        passed_over: list[str] = []
        for entry in reversed(self.entries()):
            if (fault := fault_in(entry)) is None:
                return entry, passed_over
            passed_over.append(f"checkpoint {entry.folder.name} was passed over: {fault}")
        return None, passed_over

    # Writing

    def save(self, snapshot: Snapshot, keep: frozenset[int]) -> None:
        """Write the snapshot in the background, then prune all but it and the steps to keep.

        Waits for the write before it; raises RunError if that one failed.
        """
        self.wait()
        copy = Snapshot(snapshot.step, _copied(snapshot.tensors), snapshot.facts)
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._pending = self._writer.submit(self._write, copy, keep)

    def wait(self) -> None:
        """Until everything is on the disk. Raises RunError if it could not be written."""
        if self._pending is None:
            return
        pending, self._pending = self._pending, None
        try:
            pending.result()
        except (OSError, SafetensorError, RuntimeError) as error:
            raise RunError(
                f"a checkpoint could not be written to {self.folder}: {_plainly(error)}; "
                "earlier checkpoints are intact: make room or mend the folder, and run the same "
                "command again"
            ) from error

    def forget_after(self, step: int) -> None:
        """Remove checkpoints later than this step: training goes on from there.

        If the best scored of all is among them, it is set aside: to be served, not gone on from.
        """
        entries = self.entries()
        best = min((entry.score for entry in [*entries, *self.set_aside()]), default=math.inf)
        for entry in entries:
            if entry.step > step and entry.score == best < math.inf:
                self._set_aside(entry)
            elif entry.step > step:
                _remove(entry.folder)

    def _set_aside(self, entry: Entry) -> None:
        aside = self.folder / ASIDE
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        entry.folder.rename(aside / entry.folder.name)

    def _write(self, snapshot: Snapshot, keep: frozenset[int]) -> None:
        final = self.folder / f"{snapshot.step:08d}"
        temporary = self.folder / f".{final.name}.writing"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
            _fill(temporary, snapshot)
            if final.exists():  # written before a kill, and reached again
                _remove(final)
            temporary.rename(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync(self.folder)
        self._prune(keep | {snapshot.step})

    def _prune(self, keep: frozenset[int]) -> None:
        for leftover in self.folder.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for entry in self.entries():
            if entry.step not in keep:
                _remove(entry.folder)


def read_tensors(entry: Entry, file: str, device: str = "cpu") -> dict[str, Tensor]:
    """The tensors of one file of a checkpoint. Raises RunError when it is damaged."""
    try:
        return load_file(entry.folder / f"{file}.safetensors", device=device)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{entry.folder}/{file}.safetensors cannot be read: {error}") from error


def fault_in(entry: Entry) -> str | None:
    """What is wrong with the files of a checkpoint; None when every checksum agrees."""
    for name, expected in entry.facts["sha256"].items():
        try:
            with (entry.folder / name).open("rb") as file:
                if file_digest(file, "sha256").hexdigest() != expected:
                    return f"{name} is damaged (its checksum differs)"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return None


def steps_to_keep(entries: list[Entry], certified_until: int) -> frozenset[int]:
    """The newest two, the best scored, the newest certified, and the one to be certified next."""
    keep = {entry.step for entry in entries[-2:]}
    certified = [entry for entry in entries if entry.step <= certified_until]
    if certified:
        keep |= {certified[-1].step, min(certified, key=lambda entry: entry.score).step}
    on_probation = [entry.step for entry in entries if entry.step > certified_until]
    keep |= set(on_probation[:1])  # however often is saved, one grows old enough to be certified
    if entries:
        keep.add(min(entries, key=lambda entry: entry.score).step)
    return frozenset(keep)


def newest_certified(entries: list[Entry], certified_until: int) -> tuple[Entry, bool]:
    """The newest certified; the oldest there is, and False, without any."""
    certified = [entry for entry in entries if entry.step <= certified_until]
    return (certified[-1], True) if certified else (entries[0], False)


def _entry(folder: Path) -> Entry | None:
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if facts.pop("digest") != _digest(facts):
            return None
        step, version = int(facts["step"]), int(facts["format"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if version != FORMAT:
        raise RunError(
            f"{folder} was written in checkpoint format {version}, this version of Maquette reads "
            f"{FORMAT}: use the version that wrote it"
        )
    return Entry(step, folder, facts)


def _fill(folder: Path, snapshot: Snapshot) -> None:
    checksums = {}
    for stem, tensors in snapshot.tensors.items():
        path = folder / f"{stem}.safetensors"
        save_file(dict(tensors), path)
        with path.open("rb") as file:
            checksums[path.name] = file_digest(file, "sha256").hexdigest()
        _sync(path)
    facts = {"format": FORMAT, "step": snapshot.step, **snapshot.facts, "sha256": checksums}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(facts | {"digest": _digest(facts)}), encoding="utf-8")
    _sync(manifest)
    _sync(folder)


def _digest(facts: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest itself, so that a flipped digit in it is noticed too."""
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _copied(tensors: Mapping[str, Mapping[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """On the CPU, contiguous, and untouched by the steps that follow."""
    return {
        stem: {
            name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
            for name, tensor in named.items()
        }
        for stem, named in tensors.items()
    }


def _remove(folder: Path) -> None:
    """Rename first, so that a kill half-way leaves no folder that looks complete."""
    doomed = folder.with_name(f".{folder.name}.removing")
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plainly(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    text = str(error)
    return "no space left on device" if "No space left" in text else text.splitlines()[0]
