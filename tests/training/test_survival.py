"""The plug is pulled eight times, half of them while saving; the benchmark does it fifty times."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "survival.py"


def test_a_run_killed_again_and_again_ends_with_the_same_bytes():
    command = [sys.executable, str(SCRIPT), "--kills", "8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 kills" in done.stdout
    assert "0 unreadable checkpoints" in done.stdout
