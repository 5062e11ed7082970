"""Writing files so that a reader, or a kill, never meets half of one."""

import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Replace the file by this text in one instant (temporary sibling, sync, rename)."""
    temporary = path.with_name(f".{path.name}.writing")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
