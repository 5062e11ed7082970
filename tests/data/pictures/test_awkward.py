"""Real, awkward files: each is looked at or refused, quickly and in little memory."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from maquette.data.pictures.looking import Bench
from maquette.data.sizes import ImageSize


def test_every_file_gives_facts_or_a_fault(real_data: Path) -> None:
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kinds: dict[str, int] = {}
    for file in sorted((real_data / "awkward_images").rglob("*")):
        if file.is_file():
            started = time.monotonic()
            look = Bench(ImageSize(32, 48)).look(file.read_bytes())
            assert time.monotonic() - started < 10, file
            assert (look.facts is None) != (look.fault is None), file
            kind = look.fault.kind if look.fault else "readable"
            kinds[kind] = kinds.get(kind, 0) + 1
            if look.facts:
                assert look.pixels is not None and look.pixels.shape == (32, 48, 3), file
                assert look.thumbnail.startswith(b"\xff\xd8"), file
    assert kinds["readable"] >= 365 and kinds["bomb"] == 2 and kinds["damaged"] >= 14
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < 2**20


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("sharp/truncated.jpg", "damaged", "cut short"),
        ("sharp/truncated.png", "damaged", "cut short"),
        ("sharp/giant-image.jpg", "bomb", "million pixels"),
        ("sharp/65536-uint32-limit.png", "bomb", "million pixels"),
        ("cat.npy", "not-a-picture", "a web page"),
        ("sharp/check.svg", "not-a-picture", "an SVG drawing"),
        ("sharp/relax.jp2", "not-a-picture", "JPEG 2000"),
        ("pngsuite/tests/pngsuite/corrupt/xhdn0g08.png", "damaged", "damaged"),
        ("pngsuite/tests/pngsuite/corrupt/xcsn0g01.png", "damaged", "checksum"),
    ],
)
def test_faults_are_called_by_their_names(
    real_data: Path, name: str, kind: str, reason: str
) -> None:
    fault = Bench(None).look((real_data / "awkward_images" / name).read_bytes()).fault
    assert fault is not None and fault.kind == kind and reason in fault.reason


@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
def test_rotated_photographs_look_alike(real_data: Path, kind: str) -> None:
    folder = real_data / "awkward_images" / "exif_orientation"
    looks = [
        Bench(ImageSize(32, 32), fit="stretch").look((folder / f"{kind}_{n}.jpg").read_bytes())
        for n in range(1, 9)
    ]
    assert [look.facts.orientation for look in looks if look.facts] == list(range(1, 9))
    assert len({(look.facts.height, look.facts.width) for look in looks if look.facts}) == 1
    first = looks[0].pixels
    assert first is not None
    for look in looks[1:]:  # the digit in the middle differs
        assert look.pixels is not None
        assert np.abs(first.astype(float) - look.pixels).mean() < 3


def test_grey_photographs_are_told_from_zebras(real_data: Path) -> None:
    def colourless(files: list[Path]) -> int:
        looks = [Bench(None).look(file.read_bytes()) for file in files]
        return sum(look.facts is not None and look.facts.colourless for look in looks)

    zebras = sorted((real_data / "horse2zebra" / "trainB").glob("*.jpg"))
    single_channel = [file for file in zebras if b"\xff\xc0\0\x0b" in file.read_bytes()]
    assert (len(single_channel), colourless(single_channel)) == (7, 7)
    assert colourless(sorted((real_data / "horse2zebra" / "testB").glob("*.jpg"))) == 7  # seen
    assert colourless(sorted((real_data / "horse2zebra" / "testA").glob("*.jpg"))) == 0
