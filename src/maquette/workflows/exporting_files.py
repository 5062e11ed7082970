"""Where an export is written: whole, beside its place first, and never over anything else."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maquette.core.errors import RunError

ABOUT = "model.json"  # tells an export from anything else


@dataclass(frozen=True)
class Exported:
    """What was written."""

    place: Path  # the folder, or the single file
    files: Mapping[str, int]  # name: bytes
    left_behind: tuple[str, ...] = ()  # what the model does here and not there


def checked(out: Path, single: bool) -> Path:
    """Where to write; RunError when something else is there."""
    if single and out.suffix.lower() not in (".html", ".htm"):
        return checked(out, single=False) / "index.html"
    if single:
        return out
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file: choose a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / ABOUT).is_file():
        raise RunError(f"{out} is not empty and holds no export: choose another folder with --out")
    return out


def write(out: Path, files: Mapping[str, bytes], single: bool) -> None:
    """All files are written beside their place before the first one takes it."""
    folder = out.parent if single else out
    partial = folder.absolute().with_name(f".{folder.absolute().name}.exporting")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).replace(folder / name)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{folder} cannot be written ({reason}): choose another --out") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
