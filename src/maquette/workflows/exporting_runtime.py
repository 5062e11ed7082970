"""onnxruntime-web: the three files that run a graph in a browser, out of 136 MB of package.

Downloaded once from the npm registry and kept in the cache; wherever they come from, they are used
only with exactly the published content.
"""

import hashlib
import io
import os
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maquette.core.errors import SettingsError
from maquette.evaluation.features import cache_folder

VERSION = "1.30.0"
ADDRESS = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
PACKAGE_BYTES = 33_106_585
_MOST_UNPACKED_BYTES = 5 * PACKAGE_BYTES
_PATIENCE_SECONDS = 30

Report = Callable[[int, int | None], None]


@dataclass(frozen=True)
class RuntimeFile:
    """One file of the runtime."""

    name: str  # in the package's folder dist/
    size: int  # bytes
    sha256: str


SCRIPT = RuntimeFile(
    "ort.wasm.min.mjs",
    50_126,
    "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
)
GLUE = RuntimeFile(
    "ort-wasm-simd-threaded.mjs",
    24_381,
    "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
)
WASM = RuntimeFile(
    "ort-wasm-simd-threaded.wasm",
    14_239_897,
    "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
)
FILES = (SCRIPT, GLUE, WASM)


def runtime(folder: str | Path | None, report: Report) -> Mapping[RuntimeFile, bytes]:
    """The content of every file: from this folder when one is given, else cached or downloaded.

    `report` is told how much of a download is there, in kilobytes. SettingsError, one sentence,
    when a file cannot be had or is not the published one.
    """
    if folder is not None:
        return {file: _given(Path(folder).expanduser(), file) for file in FILES}
    cache = cache_folder() / f"onnxruntime-web-{VERSION}"
    kept = {file: _kept(cache / file.name, file) for file in FILES}
    found = {file: content for file, content in kept.items() if content is not None}
    if len(found) < len(FILES):
        found = _downloaded(report)
        for file, content in found.items():
            _keep(cache / file.name, content)
    return found


def _given(folder: Path, file: RuntimeFile) -> bytes:
    """From a folder of the three, or an unpacked package."""
    for place in (folder, folder / "dist", folder / "package" / "dist"):
        if (path := place / file.name).is_file():
            if (content := _kept(path, file)) is None:
                raise SettingsError(
                    f"{path} is not the file of onnxruntime-web {VERSION}: unpack {ADDRESS}"
                )
            return content
    raise SettingsError(f"--runtime {folder} holds no {file.name}: unpack {ADDRESS} there")


def _kept(path: Path, file: RuntimeFile) -> bytes | None:
    """What lies there, if it is the published file."""
    try:
        if path.stat().st_size != file.size:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return content if _is(content, file) else None


def _keep(path: Path, content: bytes) -> None:
    """A cache that cannot be written costs another download, not the export."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)


def _downloaded(report: Report) -> dict[RuntimeFile, bytes]:
    try:
        with urllib.request.urlopen(ADDRESS, timeout=_PATIENCE_SECONDS) as source:
            return unpacked(io.BufferedReader(_Counted(source, report)))
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise SettingsError(
            f"the runtime of web pages could not be downloaded ({error}): try again, or fetch "
            f"{ADDRESS} elsewhere, unpack it and give its folder with --runtime"
        ) from error


def unpacked(package: io.BufferedIOBase) -> dict[RuntimeFile, bytes]:
    """The three files from a package, read as a stream; nothing is written.

    Raises SettingsError when one is missing or not the published one, and tarfile's errors.
    """
    wanted = {f"package/dist/{file.name}": file for file in FILES}
    found: dict[RuntimeFile, bytes] = {}
    with tarfile.open(fileobj=package, mode="r|gz") as members:
        for member in members:
            if member.offset_data + member.size > _MOST_UNPACKED_BYTES:
                break
            file = wanted.get(member.name)
            content = members.extractfile(member) if file and member.size == file.size else None
            if file and content and _is(data := content.read(file.size), file):
                found[file] = data
            if len(found) == len(FILES):
                return found
    missing = ", ".join(file.name for file in FILES if file not in found)
    raise SettingsError(
        f"what came from {ADDRESS} does not hold the published {missing}: try again later, or give "
        "a folder with --runtime"
    )


class _Counted(io.RawIOBase):
    """A download that says how far it is and ends where the package must have ended."""

    def __init__(self, source: io.BufferedIOBase, report: Report):
        self._source, self._report, self._done = source, report, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        content = self._source.read(min(len(view), PACKAGE_BYTES - self._done))
        view[: len(content)] = content
        self._done += len(content)
        self._report(self._done // 1000, PACKAGE_BYTES // 1000)
        return len(content)


def _is(content: bytes, file: RuntimeFile) -> bool:
    return hashlib.sha256(content).hexdigest() == file.sha256
