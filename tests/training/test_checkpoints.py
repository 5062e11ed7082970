"""A checkpoint is whole or it is not there; damage is noticed; pruning keeps what matters."""

import math
import random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maquette.core.errors import RunError
from maquette.training.checkpoints import (
    CheckpointStore,
    Entry,
    Snapshot,
    read_tensors,
    steps_to_keep,
)


def snapshot(step: int, size: int = 40, **facts) -> Snapshot:
    tensors = {
        "family": {"weight": torch.arange(size, dtype=torch.float32) + step},
        "optimizers": {"player/0/step": torch.tensor(float(step))},
    }
    return Snapshot(step, tensors, {"score": None, **facts})


def saved(folder, *steps: int) -> CheckpointStore:
    store = CheckpointStore(folder / "checkpoints")
    for step in steps:
        store.save(snapshot(step), frozenset(steps))
    store.wait()
    return store


def test_what_was_saved_is_read_back(tmp_path):
    store = saved(tmp_path, 5, 10)
    entry, passed_over = store.newest_sound()
    assert (entry.step, passed_over) == (10, [])
    assert entry.folder.name == "00000010"
    assert torch.equal(read_tensors(entry, "family")["weight"], torch.arange(40.0) + 10)


def test_a_saved_tensor_is_a_copy(tmp_path):
    store, weight = CheckpointStore(tmp_path / "checkpoints"), torch.zeros(1000)
    store.save(Snapshot(1, {"family": {"weight": weight}}, {}), frozenset())
    weight += 1  # training goes on while the thread writes
    store.wait()
    assert read_tensors(store.entries()[0], "family")["weight"].sum() == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["flip", "cut", "zero", "remove"]))
def test_any_damage_is_noticed_and_the_one_before_is_taken(tmp_path_factory, seed, kind):
    store, choice = saved(tmp_path_factory.mktemp("run"), 5, 10), random.Random(seed)
    victim = choice.choice(sorted(store.entries()[-1].folder.iterdir()))
    damage(victim, kind, choice)
    entry, passed_over = store.newest_sound()
    if victim.suffix == ".safetensors":
        assert entry.step == 5
        assert victim.name in passed_over[0]
    elif entry.step == 10:  # damage to the manifest that left its facts and checksums alone
        assert torch.equal(read_tensors(entry, "family")["weight"], torch.arange(40.0) + 10)


def damage(path, kind, choice):
    content = bytearray(path.read_bytes())
    place = choice.randrange(len(content))
    if kind == "flip":
        content[place] ^= 1 << choice.randrange(8)
    elif kind == "cut":
        del content[place:]
    elif kind == "zero":
        content[place:] = bytes([255 - content[place]]) * (len(content) - place)
    else:
        path.unlink()
        return
    path.write_bytes(content)


def test_a_checkpoint_of_another_version_is_refused_in_a_sentence(tmp_path):
    with pytest.MonkeyPatch.context() as later:
        later.setattr("maquette.training.checkpoints.FORMAT", 99)
        store = CheckpointStore(tmp_path / "checkpoints")
        store.save(snapshot(5), frozenset())
        store.wait()
    with pytest.raises(RunError, match="format 99"):
        CheckpointStore(tmp_path / "checkpoints").entries()


def test_a_full_disk_leaves_earlier_checkpoints_and_nothing_half_written(tmp_path, monkeypatch):
    store = saved(tmp_path, 5)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("maquette.training.checkpoints.save_file", full)
    store.save(snapshot(10), frozenset({5, 10}))
    with pytest.raises(RunError, match=r"no space left on device.*earlier checkpoints are intact"):
        store.wait()
    assert [path.name for path in store.folder.iterdir()] == ["00000005"]
    assert store.newest_sound()[0].step == 5


def test_leftovers_of_a_kill_are_ignored_and_swept_up(tmp_path):
    store = saved(tmp_path, 5)
    (store.folder / ".00000010.writing").mkdir()
    (store.folder / "00000020").mkdir()  # a folder without a manifest is no checkpoint
    assert [entry.step for entry in store.entries()] == [5]
    store.save(snapshot(10), frozenset({5}))
    store.wait()
    assert not list(store.folder.glob(".*"))


def test_the_newest_two_the_best_and_a_certified_one_are_kept(tmp_path):
    scores = {100: 3.0, 200: 1.0, 300: 2.0, 400: 5.0, 500: 4.0, 600: math.inf, 700: 4.5}
    entries = [Entry(step, tmp_path, {"score": s}) for step, s in scores.items()]
    assert steps_to_keep(entries, certified_until=500) == {200, 500, 600, 700}
    assert steps_to_keep(entries[:1], certified_until=-100) == {100}


def scored(folder, **scores: float) -> CheckpointStore:
    store = CheckpointStore(folder / "checkpoints")
    for name, score in scores.items():
        step = int(name.removeprefix("at_"))
        store.save(snapshot(step, score=score), frozenset(range(100)))
    store.wait()
    return store


def test_of_steps_given_up_the_best_is_set_aside_if_it_is_the_best_of_all(tmp_path):
    store = scored(tmp_path, at_5=3.0, at_10=2.0, at_15=9.0)
    store.forget_after(5)
    assert [entry.step for entry in store.entries()] == [5]
    (aside,) = store.set_aside()
    assert (aside.step, aside.score) == (10, 2.0)
    assert read_tensors(aside, "family")["weight"][0] == 10

    store = scored(tmp_path, at_10=2.5, at_15=4.0)
    store.forget_after(5)
    assert [entry.score for entry in store.set_aside()] == [2.0]  # still the best
    store = scored(tmp_path, at_10=1.5)
    store.forget_after(5)
    assert [entry.score for entry in store.set_aside()] == [1.5]
    assert {path.name for path in store.folder.iterdir()} == {"00000005", "aside"}


def test_what_was_not_scored_is_not_set_aside(tmp_path):
    store = saved(tmp_path, 5, 10)
    store.forget_after(5)
    assert store.set_aside() == []


def test_a_number_that_is_not_finite_is_seen(tmp_path):
    good = snapshot(1)
    bad = Snapshot(1, {"family": {"weight": torch.tensor([1.0, math.nan])}}, {})
    assert good.is_finite()
    assert not bad.is_finite()


@pytest.mark.parametrize("interval", [10, 60, 150, 500])
def test_however_often_is_saved_checkpoints_become_certified(tmp_path, interval):
    entries, quiet = [], 200
    for step in range(0, 20 * interval + 2000, interval):
        entries.append(Entry(step, tmp_path, {"score": None}))
        keep = steps_to_keep(entries, step - quiet)
        entries = [entry for entry in entries if entry.step in keep]
        certified = max((e.step for e in entries if e.step <= step - quiet), default=0)
        assert step - certified <= 2 * (quiet + interval)
        assert len(entries) <= 5


def test_a_manifest_without_its_checksums_is_no_checkpoint(tmp_path):
    store = saved(tmp_path, 5, 10)
    path = store.entries()[-1].folder / "manifest.json"
    path.write_text(path.read_text().replace("sha256", "sha257"))
    assert store.newest_sound()[0].step == 5
