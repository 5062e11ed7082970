"""The browser's runtime: only the published files, wherever they come from."""

import gzip
import hashlib
import io
import tarfile

import pytest

from maquette.core.errors import SettingsError
from maquette.workflows import exporting_runtime
from maquette.workflows.exporting_runtime import RuntimeFile, runtime, unpacked

CONTENTS = {"a.mjs": b"one", "b.wasm": b"two" * 1000}
FILES = tuple(
    RuntimeFile(name, len(content), hashlib.sha256(content).hexdigest())
    for name, content in CONTENTS.items()
)


@pytest.fixture(autouse=True)
def small_package(monkeypatch, tmp_path):
    """As if these two were published, and no network."""

    def unreachable(*given, **how):
        raise OSError("no route to host")

    monkeypatch.setattr(exporting_runtime, "FILES", FILES)
    monkeypatch.setenv("MAQUETTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)


def package(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


PUBLISHED = package(
    {"package/README.md": b"x" * 999} | {f"package/dist/{n}": c for n, c in CONTENTS.items()}
)


def served(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **how: io.BytesIO(content))


def told(done: int, total: int | None) -> None:
    pass


def test_it_is_downloaded_once(monkeypatch, tmp_path):
    served(monkeypatch, PUBLISHED)
    found = runtime(None, told)
    assert {file.name: content for file, content in found.items()} == CONTENTS
    monkeypatch.setattr("urllib.request.urlopen", None)
    assert runtime(None, told) == found


def test_a_damaged_cache_is_downloaded_again(monkeypatch, tmp_path):
    served(monkeypatch, PUBLISHED)
    runtime(None, told)
    (kept,) = (tmp_path / "cache").glob("*/a.mjs")
    kept.write_bytes(b"eno")
    assert {file.name: content for file, content in runtime(None, told).items()} == CONTENTS


def test_without_network_a_sentence_says_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match=r"no route to host.*--runtime"):
        runtime(None, told)


@pytest.mark.parametrize(
    "content",
    [
        package({"package/dist/a.mjs": b"eno", "package/dist/b.wasm": CONTENTS["b.wasm"]}),
        package({"package/dist/a.mjs": b"one"}),
        package({"../dist/a.mjs": b"one", "/package/dist/b.wasm": CONTENTS["b.wasm"]}),
        PUBLISHED[:-40],
        gzip.compress(b"no archive"),
        b"<html>blocked</html>",
        b"",
    ],
    ids=["changed", "missing", "led astray", "cut short", "no tar", "a page", "nothing"],
)
def test_anything_else_is_refused(monkeypatch, tmp_path, content):
    served(monkeypatch, content)
    with pytest.raises(SettingsError, match="--runtime"):
        runtime(None, told)
    assert not (tmp_path / "cache").exists()


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(exporting_runtime, "_MOST_UNPACKED_BYTES", 10_000)
    bomb = package({"package/zeros": bytes(20_000), "package/dist/a.mjs": b"one"})
    with pytest.raises(SettingsError, match=r"a\.mjs"):
        unpacked(io.BytesIO(bomb))


def test_a_folder_may_be_given(tmp_path):
    dist = tmp_path / "package" / "dist"
    dist.mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"holds no a\.mjs"):
        runtime(tmp_path, told)
    for name, content in CONTENTS.items():
        (dist / name).write_bytes(content)
    assert {file.name: c for file, c in runtime(tmp_path, told).items()} == CONTENTS
    (dist / "a.mjs").write_bytes(b"eno")
    with pytest.raises(SettingsError, match="is not the file of onnxruntime-web"):
        runtime(tmp_path, told)
