"""Pictures to features: what a feature network must say about itself, and a cache of its results.

Every number made from features depends on the network, its weights and how pictures were resized
for it, so all three travel with the extractor and are part of every cache key. Whole features are
kept, not only their moments: kernel distances and neighbours need them. Nothing is unpickled.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Float32
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from maquette.core.images import Pixels

Features = Float32[Tensor, "batch dims"]  # on the CPU
Network = Callable[[Pixels], Float[Tensor, "batch dims"]]
Progress = Callable[[int, int], None]  # pictures done, pictures in all

CACHE_VARIABLE = "MAQUETTE_CACHE"
_PICTURES_AT_ONCE = 64
_MOST_BYTES = 4 * 2**30
_PRECISION = "float32"
_FORGOTTEN_SECONDS = 3600  # an unfinished file this old belongs to a process that was killed


@dataclass(frozen=True)
class FeatureExtractor:
    """A network that turns pictures into features, and what a reader of its numbers must know."""

    name: str  # printed beside every number: "squeezenet1_1", "timm:resnet18"
    weights_sha256: str
    resizer: str  # in words: "bilinear with antialiasing to 224 px"
    dimensions: int
    network: Network  # takes grey or RGB pictures of any size; values as float
    device: torch.device | str = "cpu"  # where the network is

    @property
    def key(self) -> str:
        """16 hex digits that differ whenever features may differ."""
        parts = [self.name, self.weights_sha256, self.resizer, self.dimensions, _PRECISION]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @torch.no_grad()
    def __call__(self, pixels: Pixels, progress: Progress | None = None) -> Features:
        """One row a picture, float32, on the CPU.

        64 pictures at a time go to the device and through the network, so `pixels` may be a
        memory-mapped tensor much larger than the device.
        """
        found = torch.empty(len(pixels), self.dimensions)
        for start in range(0, len(pixels), _PICTURES_AT_ONCE):
            part = pixels[start : start + _PICTURES_AT_ONCE].to(self.device)
            found[start : start + len(part)] = self.network(part).cpu()
            if progress is not None:
                progress(start + len(part), len(pixels))
        return found


@dataclass(frozen=True)
class FeatureKey:
    """Which features: of these pictures, by this extractor."""

    fingerprint: str  # of the pictures' content
    split: str
    extractor: str  # FeatureExtractor.key
    count: int  # pictures


class FeatureCache:
    """Features of real pictures on disk, one safetensors file a key, shared by all runs.

    A file is whole or absent; one that does not match its checksum or its key is computed again.
    When the files exceed `most_bytes` together, those unused for longest are removed.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES):
        self.folder = folder
        self.most_bytes = most_bytes

    def cached(self, key: FeatureKey, compute: Callable[[], Features]) -> Features:
        """The stored features, or `compute()`, which is then stored: the same bits either way."""
        path = self.folder / f"{_digest(_described(key).encode())[:32]}.safetensors"
        found = _read(path, key)
        if found is None:
            found = compute().contiguous()
            assert len(found) == key.count
            self._store(path, key, found)
        return found

    def _store(self, path: Path, key: FeatureKey, features: Features) -> None:
        """A cache that cannot be written costs time, not the evaluation."""
        if features.nbytes > self.most_bytes:
            return
        temporary = path.with_name(f".{path.stem}.{os.getpid()}.writing")
        about = {"key": _described(key), "sha256": _checksum(features)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file({"features": features}, temporary, about)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            self._trim(path)
        except (OSError, SafetensorError) as error:
            warnings.warn(f"features are not kept for next time: {error}", stacklevel=3)
        finally:
            if temporary.exists():
                temporary.unlink(missing_ok=True)

    def _trim(self, newest: Path) -> None:
        now = newest.stat().st_mtime
        for file in self.folder.glob(".*.writing"):
            if now - file.stat().st_mtime > _FORGOTTEN_SECONDS:
                file.unlink(missing_ok=True)
        files = [(file.stat(), file) for file in self.folder.glob("*.safetensors")]
        total = sum(facts.st_size for facts, _ in files)
        for facts, file in sorted(files, key=lambda pair: pair[0].st_mtime_ns):
            if total > self.most_bytes and file != newest:
                file.unlink(missing_ok=True)
                total -= facts.st_size


def cache_folder() -> Path:
    """$MAQUETTE_CACHE, else $XDG_CACHE_HOME/maquette, else ~/.cache/maquette."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))  # the standard ignores relative ones
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "maquette"


def _read(path: Path, key: FeatureKey) -> Features | None:
    """What the file holds, if it is what was stored for this key."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            features: Tensor = file.get_tensor("features")
        if about.get("key") != _described(key) or about.get("sha256") != _checksum(features):
            return None
        os.utime(path)  # used now: removed last
    except (OSError, SafetensorError):
        return None
    return features


def _described(key: FeatureKey) -> str:
    return json.dumps(asdict(key))


def _checksum(features: Tensor) -> str:
    """Of shape, type and values."""
    kind = f"{features.dtype} {tuple(features.shape)} ".encode()
    return _digest(kind, features.numpy().reshape(-1).view("uint8").data)


def _digest(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
