"""A measurement survives the way through evaluation.json."""

import json
from dataclasses import asdict

from maquette.evaluation.metric import Measurement


def test_round_trip() -> None:
    stored = Measurement("Fréchet distance (squeezenet1_1)", 31.5, floor=222.0, ceiling=8.0)
    assert Measurement(**json.loads(json.dumps(asdict(stored)))) == stored
