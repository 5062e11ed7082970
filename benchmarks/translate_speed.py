"""A film translated by our whole path against what a tutorial writes: same network, film and run.

    python benchmarks/translate_speed.py [--networks light-64 paper-256 …] [--out FILE.json]

The peer decodes, translates and encodes frame by frame with PyAV and eager float32 PyTorch, all
threads for each frame. Both begin with a film of the network's own size, so that neither scales
anything, and take turns, so that other work on the machine hits them alike. Ours pays for
everything: looking at the film first, choosing an engine, watching flicker, joining. Printed are
frames a second, seconds of the processor, how much of both is the network, and how far apart.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from maquette.core.images import ImageSpec, to_float, to_pixels
from maquette.families.cyclegan import CycleGan, CycleGanSettings
from maquette.workflows.translating_engines import choose_engine
from maquette.workflows.translating_films import translate_film
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_places import Errand
from maquette.workflows.translating_quickly import torch_threads

ASKED = 2.0  # times the peer's frames a second


@dataclass(frozen=True)
class Case:
    """A network, the side of its square pictures, and how long a film."""

    network: str
    width: int
    blocks: int
    upsampling: str
    side_px: int
    frames: int


CASES = {
    "light-64": Case("light", 32, 1, "resize", 64, 600),  # what recipes for processors train
    "small-64": Case("residual", 24, 5, "resize", 64, 600),
    "small-128": Case("residual", 24, 5, "resize", 128, 240),
    "paper-256": Case("residual", 64, 9, "transposed", 256, 24),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON to write")
    arguments = parser.parse_args()
    results = {"threads": torch.get_num_threads(), "cpu": torch.backends.cpu.get_cpu_capability()}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.networks:
            results[name] = compared(name, CASES[name], arguments.rounds, Path(folder))
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def compared(name: str, case: Case, rounds: int, folder: Path) -> dict[str, object]:
    translator = untrained(case)
    film = film_of(case, folder / f"{name}.mp4")
    wish, out = Wish(), folder / "out.mp4"
    ways: dict[str, Callable[[], object]] = {
        "peer": lambda: plain(film, translator, out),
        "ours": lambda: translate_film(Errand(film, out, "MP4"), translator, wish, silent),
    }
    wall: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):  # the first warms up
        for way, work in ways.items():
            started = time.perf_counter(), time.process_time()
            work()
            if turn:
                wall[way].append(time.perf_counter() - started[0])
                cpu[way].append(time.process_time() - started[1])
    result: dict[str, object] = {"frames": case.frames, "side_px": case.side_px}
    for way in ways:
        result[f"{way}_frames_per_second"] = round(case.frames / statistics.median(wall[way]), 2)
        result[f"{way}_best_frames_per_second"] = round(case.frames / min(wall[way]), 2)
        result[f"{way}_cpu_ms_per_frame"] = round(
            1e3 * statistics.median(cpu[way]) / case.frames, 1
        )
    ratios = [p / o for p, o in zip(wall["peer"], wall["ours"], strict=True)]
    result["times_as_fast"] = round(statistics.median(ratios), 2)
    result["times_as_fast_by_round"] = [round(ratio, 2) for ratio in ratios]
    result["times_less_cpu"] = round(
        statistics.median(cpu["peer"]) / statistics.median(cpu["ours"]), 2
    )
    result |= networks_alone(translator, case, film)
    print(f"{name}: ours {result['times_as_fast']} times as fast; asked for: at least {ASKED}")
    print("\n".join(f"  {key}: {value}" for key, value in result.items()), flush=True)
    return result


def untrained(case: Case) -> PictureTranslator:
    """Starting at random, so that differences of arithmetic are seen."""
    torch.manual_seed(0)
    settings = CycleGanSettings(
        network=case.network,
        width=case.width,
        blocks=case.blocks,
        upsampling=case.upsampling,
        start="random",
    )
    spec = ImageSpec(channels=3, height=case.side_px, width=case.side_px, classes=("a", "b"))
    return PictureTranslator(CycleGan(settings, spec).eval().requires_grad_(False), "a_to_b")


def film_of(case: Case, file: Path) -> Path:
    """Waves that move, in colour, 25 frames a second."""
    rows, columns = np.mgrid[: case.side_px, : case.side_px] / case.side_px * 20
    with av.open(str(file), "w") as film:
        stream = film.add_stream("libx264", 25, {"crf": "18", "preset": "fast"})
        stream.width = stream.height = case.side_px
        stream.pix_fmt = "yuv420p"
        for i in range(case.frames):
            waves = [np.sin(columns + i / 5 + c) * np.cos(rows + i / 9 - c) for c in range(3)]
            pixels = (np.stack(waves, -1) * 90 + 128).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return file


@torch.no_grad()
def plain(film: Path, translator: PictureTranslator, out: Path) -> None:
    """What a tutorial writes."""
    with av.open(str(film)) as source, av.open(str(out), "w") as target:
        given = source.streams.video[0]
        stream = target.add_stream("libx264", 25, {"crf": "18", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        for frame in source.decode(given):
            pixels = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1)[None]
            made = eager(translator, to_float(pixels.contiguous()))
            shown = to_pixels(made)[0].permute(1, 2, 0).contiguous().numpy()
            after = av.VideoFrame.from_ndarray(shown, "rgb24")
            after.pts, after.time_base = frame.pts, frame.time_base
            target.mux(stream.encode(after))
        target.mux(stream.encode())


def eager(translator: PictureTranslator, images: Tensor) -> Tensor:
    return translator.family.translate(images, translator.direction)


@torch.inference_mode()
def networks_alone(translator: PictureTranslator, case: Case, film: Path) -> dict[str, object]:
    """On one thread, and how far the two are apart in grey levels."""
    with av.open(str(film)) as source:
        frames = [
            frame.to_ndarray(format="rgb24")
            for frame, _ in zip(source.decode(video=0), range(8), strict=False)
        ]
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()
    ours = translator.copy()
    with torch_threads(1):
        engine = choose_engine(ours, case.side_px, case.side_px, case.frames)
        seconds, made = [], []
        for work in (
            lambda: torch.cat([to_pixels(eager(translator, to_float(p))) for p in pixels.split(1)]),
            lambda: ours(pixels),
        ):
            work()
            began = time.process_time()
            made.append(work().float())
            seconds.append(time.process_time() - began)
    apart = (made[0] - made[1]).abs()
    return {
        "engine": engine,
        "peer_network_cpu_ms_per_frame": round(1e3 * seconds[0] / len(pixels), 1),
        "ours_network_cpu_ms_per_frame": round(1e3 * seconds[1] / len(pixels), 1),
        "mean_levels_apart": round(float(apart.mean()), 2),
        "most_levels_apart": float(apart.max()),
    }


def silent(_done: int, _total: int | None) -> None:
    """Report to nobody."""


if __name__ == "__main__":
    main()
