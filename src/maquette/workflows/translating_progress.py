"""Which files of a folder have been translated already, so that an interrupted command goes on."""

import json
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from maquette.core.errors import RunError
from maquette.data.sources.identity import file_identity
from maquette.workflows.translating_networks import PictureTranslator, Wish
from maquette.workflows.translating_places import Errand

JOURNAL = ".translating.jsonl"


class Journal:
    """A hidden file in the folder of results, gone again when all is done.

    Its first line says what was asked for; where that has changed, everything is made anew.
    """

    def __init__(self, folder: Path, translator: PictureTranslator, wish: Wish):
        """Use it in a `with` block. RunError when the folder cannot be written."""
        self._file = folder / JOURNAL
        plan = {
            "weights": translator.identity,
            "direction": translator.direction,
            **asdict(wish),
        }
        lines = _lines(self._file)
        self._done = set(lines[1:]) if lines[:1] == [json.dumps(plan)] else set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not self._done:
                self._file.write_text(json.dumps(plan) + "\n", encoding="utf-8")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunError(
                f"{folder} cannot be written ({reason}): choose another --out"
            ) from error

    def has(self, errand: Errand) -> bool:
        """Whether it was done, its source has not changed since, and the result is still there."""
        return self._line(errand) in self._done and errand.out.exists()

    def add(self, errand: Errand) -> None:
        """It is done."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(self._line(errand) + "\n")

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, RunError):
            self._file.unlink(missing_ok=True)

    def _line(self, errand: Errand) -> str:
        return json.dumps([str(errand.out), file_identity(errand.source)])


def _lines(file: Path) -> list[str]:
    """Those that end; a kill may have cut the last one."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return text.split("\n")[:-1]
