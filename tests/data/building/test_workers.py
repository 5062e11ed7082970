"""Worker processes: the same looks in the same order, whatever dies on the way."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maquette.data.building import workers
from maquette.data.building.workers import looked
from maquette.data.pictures.content import Box, Content
from maquette.data.pictures.faults import Fault
from maquette.data.pictures.looking import Bench, Look
from maquette.data.sizes import ImageSize
from maquette.data.sources.source import Item
from picture_files import encoded, noise

MANY = workers.INLINE_ITEMS + 80


class Deadly(Bench):
    """A bench at which some contents end or block the process that looks at them."""

    def look(self, content: Content, box: Box | None = None) -> Look:
        if content == b"die":
            os.abort()
        if content == b"hang":
            time.sleep(600)
        return super().look(content, box)


def pictures(count: int) -> Iterator[Item]:
    for number in range(count):
        yield Item(f"{number}.png", content=encoded(noise(number)))


def test_workers_give_what_one_process_gives() -> None:
    bench = Bench(ImageSize(8, 8))
    one = list(looked(bench, pictures(MANY), workers=1))
    several = list(looked(bench, pictures(MANY), workers=2))
    assert [item.source for item, _ in several] == [f"{n}.png" for n in range(MANY)]
    for (_, alone), (_, look) in zip(one, several, strict=True):
        assert alone.facts == look.facts
        assert alone.thumbnail == look.thumbnail
        assert (alone.pixels == look.pixels).all()


def test_what_has_no_content_keeps_its_fault() -> None:
    fault = Fault("unreadable", "encrypted")
    items = [*pictures(MANY), Item("secret", fault=fault)]
    *_, (item, look) = looked(Bench(None), items, workers=2)
    assert item.source == "secret"
    assert (look.facts, look.fault) == (None, fault)


def test_pictures_that_kill_or_block_their_worker_are_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(workers, "LONGEST_LOOK_SECONDS", 6.0)
    items = list(pictures(MANY))
    deadly = {5: b"die", 150: b"hang", MANY - 1: b"die"}
    for number, content in deadly.items():
        items[number] = Item(f"{number}.png", content=content)
    looks = [look for _, look in looked(Deadly(None), items, workers=2)]
    assert len(looks) == MANY
    for number, look in enumerate(looks):
        if number in deadly:
            assert look.fault is not None
            assert look.fault.kind == "damaged"
            assert "crashes, or takes more than" in look.fault.reason
        else:
            assert look.facts is not None


def test_a_reader_that_stops_early_leaves_nothing_behind() -> None:
    looks = looked(Bench(None), pictures(10 * MANY), workers=2)
    for _ in range(3):
        next(looks)
    looks.close()
    assert len(list(looked(Bench(None), pictures(MANY), workers=2))) == MANY
