"""Options that several commands share."""

from typing import Annotated

import typer

DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps or tpu.", show_default=True)
]
