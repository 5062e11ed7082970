"""Kaggle by name: what was downloaded is a folder, what hinders that is one sentence."""

import socket
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maquette.core.errors import DatasetError
from maquette.data.sources.kaggle import kaggle_folder

kagglehub = pytest.importorskip("kagglehub")
requests = pytest.importorskip("requests")


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], list[str]]:
    """Kaggle's answer to every download; what was asked for is noted."""

    def answering(answer: object) -> list[str]:
        asked: list[str] = []

        def download(kind: str) -> Callable[[str], object]:
            def called(handle: str) -> object:
                asked.append(f"{kind} {handle}")
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return called

        monkeypatch.setattr(kagglehub, "dataset_download", download("dataset"))
        monkeypatch.setattr(kagglehub, "competition_download", download("competition"))
        monkeypatch.setattr(requests, "head", lambda *arguments, **options: None)
        return asked

    return answering


def refused(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return kagglehub.exceptions.KaggleApiHTTPError("refused\n\nat length", response=response)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("kaggle:owner/pets", "dataset owner/pets"),
        ("kaggle:owner/pets/versions/3", "dataset owner/pets/versions/3"),
        ("kaggle:competitions/gan-getting-started", "competition gan-getting-started"),
    ],
)
def test_the_folder_is_where_it_was_downloaded_to(
    tmp_path: Path, kaggle: Callable[[object], list[str]], text: str, asked: str
) -> None:
    noted = kaggle(str(tmp_path))
    assert kaggle_folder(text) == tmp_path
    assert noted == [asked]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "kaggle:",
            "kaggle:pets",
            "kaggle:a/b/c",
            "kaggle:competitions/",
            "kaggle:competitions/a/b",
        ),
        *("kaggle:../pets", "kaggle:a/b/versions/x", "kaggle:a b/c"),
    ],
)
def test_names_that_cannot_be_are_refused(kaggle: Callable[[object], list[str]], text: str) -> None:
    noted = kaggle("/nowhere")
    with pytest.raises(DatasetError, match="does not name anything on Kaggle: give kaggle:owner/"):
        kaggle_folder(text)
    assert noted == []


@pytest.mark.parametrize(
    ("name", "problem", "sentence"),
    [
        (
            "a/b",
            kagglehub.exceptions.UnauthenticatedError(),
            "create a token at https://www.kaggle",
        ),
        ("a/b", refused(401), "create a token at https://www.kaggle.com/settings"),
        (
            "a/b",
            refused(403),
            "is private, or asks for consent at https://www.kaggle.com/datasets/a/b",
        ),
        (
            "competitions/c",
            refused(403),
            "accept the rules at https://www.kaggle.com/competitions/c/rules",
        ),
        ("a/b", refused(404), "Kaggle has no a/b: compare the name"),
        ("a/b", refused(429), "too many downloads: try again later"),
        ("a/b", refused(500), r"now \(HTTP 500\): try again later"),
        ("a/b", requests.ConnectionError("HTTPSConnectionPool(...)"), "cannot be reached for a/b"),
        ("a/b", zipfile.BadZipFile("no"), "a/b arrived damaged from Kaggle: try again"),
        ("a/b", OSError(28, "No space left on device"), "downloaded from Kaggle: .*No space left"),
        (
            "a/b",
            ValueError("Invalid Kaggle credentials file\nat /x"),
            "Invalid Kaggle credentials file$",
        ),
    ],
)
def test_what_hinders_a_download_is_one_sentence(
    kaggle: Callable[[object], list[str]], name: str, problem: Exception, sentence: str
) -> None:
    kaggle(problem)
    with pytest.raises(DatasetError, match=sentence) as caught:
        kaggle_folder(f"kaggle:{name}")
    assert "\n" not in str(caught.value)


def raising(error: Exception) -> Callable[..., None]:
    def raised(*arguments: object, **options: object) -> None:
        raise error

    return raised


@pytest.mark.parametrize("name", ["owner/pets", "competitions/pets"])
def test_offline_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Here kagglehub itself is asked."""
    monkeypatch.setattr(socket, "getaddrinfo", raising(socket.gaierror(-2, "Name not known")))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "0" * 32)
    with pytest.raises(DatasetError, match=f"Kaggle cannot be reached for {name}: connect this"):
        kaggle_folder(f"kaggle:{name}")


def test_silence_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, kaggle: Callable[[object], list[str]]
) -> None:
    noted = kaggle("/nowhere")
    monkeypatch.setattr(requests, "head", raising(requests.ConnectTimeout("10 s")))
    with pytest.raises(DatasetError, match="Kaggle cannot be reached for owner/pets"):
        kaggle_folder("kaggle:owner/pets")
    assert noted == []


def test_what_is_there_already_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kaggle: Callable[[object], list[str]]
) -> None:
    kaggle(str(tmp_path))
    monkeypatch.setattr(requests, "head", raising(requests.ConnectionError("offline")))
    assert kaggle_folder("kaggle:competitions/pets") == tmp_path


def test_without_kagglehub_one_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(DatasetError, match=r"needs the extra `hub`: pip install 'maquette\[hub\]'"):
        kaggle_folder("kaggle:owner/pets")
