"""What a person is told when something cannot be done: one sentence, what is wrong and what to do.

Everything else that goes wrong is a defect of ours and may show a traceback.
"""

from collections.abc import Sequence
from difflib import get_close_matches


class MaquetteError(ValueError):
    """A problem a person can mend; its text is one clear sentence shown as it is."""


class SettingsError(MaquetteError):
    """A recipe or a setting that cannot be used."""


class DatasetError(MaquetteError):
    """Pictures or a dataset folder that cannot be used."""


class RunError(MaquetteError):
    """A run folder that cannot be read, written or continued."""


def unknown_name(kind: str, name: str, known: list[str]) -> str:
    """The sentence for a name nobody knows, with the nearest right one first."""
    return f"unknown {kind} {name!r}: {did_you_mean(name, known)}known are {', '.join(known)}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The nearest right name as a question that ends in a space; nothing where none is near."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""
