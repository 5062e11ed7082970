"""How much memory a build of very many small pictures takes: all processes together, at the worst.

    python benchmarks/build_memory.py [--pictures 100000] [--side 48]

The floor is what importing Maquette and its workers takes; the limit we set ourselves is 1 GiB.
Memory is the resident set of the building process and its workers, looked at ten times a second.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

LIMIT_BYTES = 2**30


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=100_000)
    arguments.add_argument("--side", type=int, default=48)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "pictures.zip"
        make_pictures(archive, given.pictures, given.side)
        command = ["data", "build", str(archive), "--size", "32", "--out", f"{scratch}/data"]
        worst, seconds = watched([sys.executable, "-m", "maquette.cli.main", *command])
        print(
            f"{given.pictures:,} pictures of {given.side} px: {worst / 2**20:.0f} MiB at the "
            f"worst, {worst / LIMIT_BYTES:.2f} of the limit; {given.pictures / seconds:.0f}/s"
        )


def make_pictures(archive: Path, count: int, side: int) -> None:
    """Smooth colour noise, each picture another: enlarged noise of a few pixels."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(archive, "w") as opened:
        for number in range(count):
            coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
            content = io.BytesIO()
            picture.save(content, "JPEG", quality=85)
            opened.writestr(f"{number:06}.jpg", content.getvalue())


def watched(command: list[str]) -> tuple[int, float]:
    """Most bytes resident at once, the command and its children together; seconds it took."""
    began, worst = time.perf_counter(), 0
    running = subprocess.Popen(command)
    process = psutil.Process(running.pid)
    while running.poll() is None:
        worst = max(worst, resident(process))
        time.sleep(0.1)
    if running.returncode:
        raise SystemExit(running.returncode)
    return worst, time.perf_counter() - began


def resident(process: psutil.Process) -> int:
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


if __name__ == "__main__":
    main()
