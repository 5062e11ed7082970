"""An extractor says what it is; the cache gives back the same bits or computes again."""

import dataclasses
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from maquette.evaluation.features import FeatureCache, FeatureExtractor, FeatureKey, cache_folder


def brightness(pixels: Tensor) -> Tensor:
    """Mean and deviation of each picture."""
    values = pixels.double().flatten(1)
    return torch.stack([values.mean(1), values.std(1)], dim=1)


EXTRACTOR = FeatureExtractor("brightness", "0" * 64, "none", 2, brightness)
KEY = FeatureKey("abc", "train", EXTRACTOR.key, 6)


class Counted:
    """Features, and how often they were asked for."""

    def __init__(self, count: int = 6, seed: int = 0):
        self.features = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
        self.calls = 0

    def __call__(self) -> Tensor:
        self.calls += 1
        return self.features


def test_rows_are_in_order_and_progress_is_told() -> None:
    pixels = torch.randint(0, 256, (150, 1, 5, 7), dtype=torch.uint8)
    told: list[tuple[int, int]] = []
    features = EXTRACTOR(pixels, lambda done, total: told.append((done, total)))
    assert features.dtype == torch.float32
    assert torch.equal(features, brightness(pixels).float())
    assert told == [(64, 150), (128, 150), (150, 150)]
    assert EXTRACTOR(pixels[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    "change", [{"name": "x"}, {"weights_sha256": "1" * 64}, {"resizer": "box"}, {"dimensions": 3}]
)
def test_key_changes_with_all_that_changes_features(change: dict[str, object]) -> None:
    assert dataclasses.replace(EXTRACTOR, **change).key != EXTRACTOR.key
    assert dataclasses.replace(EXTRACTOR).key == EXTRACTOR.key


def test_second_time_comes_from_disk_bit_for_bit(tmp_path: Path) -> None:
    compute = Counted()
    first = FeatureCache(tmp_path / "new").cached(KEY, compute)
    again = FeatureCache(tmp_path / "new").cached(KEY, compute)
    assert compute.calls == 1
    assert torch.equal(first, again)
    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".safetensors"]


@pytest.mark.parametrize(
    "change", [{"fingerprint": "abd"}, {"split": "test"}, {"extractor": "x"}, {"count": 5}]
)
def test_other_pictures_or_eyes_are_another_entry(
    tmp_path: Path, change: dict[str, object]
) -> None:
    cache, key = FeatureCache(tmp_path), dataclasses.replace(KEY, **change)
    cache.cached(KEY, Counted())
    other = Counted(key.count, seed=1)
    assert torch.equal(cache.cached(key, other), other.features)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_is_computed_again_and_mended(tmp_path: Path) -> None:
    cache, compute = FeatureCache(tmp_path), Counted()
    cache.cached(KEY, compute)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    damaged = [b"", b"text", whole[: len(whole) // 2], bytes(flipped)]
    for calls, content in enumerate(damaged, start=2):
        path.write_bytes(content)
        for _ in range(2):  # the second time from the mended file
            assert torch.equal(cache.cached(KEY, compute), compute.features)
            assert compute.calls == calls


def test_a_file_moved_to_another_key_is_not_believed(tmp_path: Path) -> None:
    cache, other = FeatureCache(tmp_path), dataclasses.replace(KEY, split="test")
    cache.cached(KEY, Counted())
    (first,) = tmp_path.iterdir()
    cache.cached(other, Counted(seed=1))
    (second,) = set(tmp_path.iterdir()) - {first}
    second.write_bytes(first.read_bytes())
    asked = Counted(seed=1)
    assert torch.equal(cache.cached(other, asked), asked.features)
    assert asked.calls == 1


def test_what_was_unused_for_longest_goes_first(tmp_path: Path) -> None:
    keys = [dataclasses.replace(KEY, split=split) for split in "abc"]
    FeatureCache(tmp_path).cached(keys[0], Counted())
    most = int(2.5 * next(tmp_path.iterdir()).stat().st_size)
    cache = FeatureCache(tmp_path, most)
    for key in keys[:2]:
        cache.cached(key, Counted())
        for file in tmp_path.iterdir():
            os.utime(file, (file.stat().st_mtime - 100,) * 2)
    cache.cached(keys[0], Counted())  # used again: now the newer one
    cache.cached(keys[2], Counted())
    asked = [Counted() for _ in keys]
    for key, compute in zip((keys[0], keys[2]), asked, strict=False):
        cache.cached(key, compute)
    cache.cached(keys[1], asked[2])
    assert [compute.calls for compute in asked] == [0, 0, 1]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= most


def test_a_half_written_file_is_cleared_away_once_it_is_old(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".a.1.writing", tmp_path / ".b.2.writing"
    for file in (old, fresh):
        file.write_text("half")
    os.utime(old, (1, 1))
    FeatureCache(tmp_path).cached(KEY, Counted())
    assert not old.exists()
    assert fresh.exists()


def test_features_too_large_for_the_cache_are_given_but_not_kept(tmp_path: Path) -> None:
    compute = Counted()
    assert torch.equal(FeatureCache(tmp_path, 10).cached(KEY, compute), compute.features)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_only_warns(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    compute = Counted()
    with pytest.warns(UserWarning, match="not kept for next time"):
        found = FeatureCache(tmp_path / "file").cached(KEY, compute)
    assert torch.equal(found, compute.features)


def test_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MAQUETTE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "maquette"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "maquette"
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
