"""How threads wait for each other is asked of OpenMP before torch is there, unless one said so."""

import os
import subprocess
import sys

import pytest

TELL = """import maquette, os
print([os.environ.get(name) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")])"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, "['PASSIVE', '1000']"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "['ACTIVE', None]"),
        ({"GOMP_SPINCOUNT": "5"}, "[None, '5']"),
    ],
)
def test_threads_spin_a_little_unless_told_otherwise(said, found):
    ours = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    rest = {name: value for name, value in os.environ.items() if name not in ours}
    ended = subprocess.run(
        [sys.executable, "-c", TELL], env=rest | said, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == found
