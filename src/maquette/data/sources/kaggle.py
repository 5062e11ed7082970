"""Kaggle's datasets and competitions, by name: downloaded by `kagglehub` into its own cache.

What comes back is a folder, read like any other. Nothing is asked of the person here: whoever is
not logged in, or has not accepted the rules, is told where to do so.
"""

import re
import zipfile
from pathlib import Path

from maquette.core.errors import DatasetError

KAGGLE = "kaggle:"
PATIENCE_SECONDS = 10  # kagglehub itself waits for as long as the system does
_SITE, _API = "https://www.kaggle.com", "https://api.kaggle.com"
_NAME = r"competitions/[\w-]+|(?!competitions/)[\w-]+/[\w.-]+(/versions/\d+)?"


def kaggle_folder(text: str) -> Path:
    """The local folder of "kaggle:owner/dataset", ".../versions/3" or "kaggle:competitions/name".

    Downloaded once and kept; DatasetError for whatever hinders that.
    """
    name = text.removeprefix(KAGGLE)
    if not re.fullmatch(_NAME, name, re.ASCII):
        raise DatasetError(
            f"{text!r} does not name anything on Kaggle: give kaggle:owner/dataset or "
            "kaggle:competitions/name, as in the address of its page"
        )
    try:
        import kagglehub
    except ImportError:
        raise DatasetError(
            "reading from Kaggle needs the extra `hub`: pip install 'maquette[hub]'"
        ) from None
    try:
        _refuse_silence()
        if name.startswith("competitions/"):
            return Path(kagglehub.competition_download(name.removeprefix("competitions/")))
        return Path(kagglehub.dataset_download(name))
    # requests' errors, kagglehub's own, OSError, ValueError, those of zipfile and tarfile.
    except Exception as problem:
        raise DatasetError(_sentence(problem, name)) from None


def _refuse_silence() -> None:
    """Raises requests.Timeout when Kaggle does not answer.

    Being unreachable at once is left to kagglehub, which then takes what it has downloaded before.
    """
    import requests

    try:
        requests.head(_API, timeout=PATIENCE_SECONDS)
    except requests.Timeout:
        raise
    except requests.RequestException:
        return


def _sentence(problem: Exception, name: str) -> str:
    import requests
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    if isinstance(problem, UnauthenticatedError):
        return _log_in(name)
    if isinstance(problem, requests.HTTPError) and problem.response is not None:
        return _refusal(problem.response.status_code, name)
    if isinstance(problem, requests.ConnectionError | requests.Timeout):
        return (
            f"Kaggle cannot be reached for {name}: connect this machine to the internet, or "
            "download it elsewhere and give the folder"
        )
    if isinstance(problem, DataCorruptionError | zipfile.BadZipFile):
        return f"{name} arrived damaged from Kaggle: try again"
    reason = next(iter(str(problem).splitlines()), "") or type(problem).__name__
    return f"{name} could not be downloaded from Kaggle: {reason}"


def _refusal(status: int, name: str) -> str:
    """For an answer of Kaggle's that is an HTTP error."""
    if status == 401:
        return _log_in(name)
    if status == 403 and name.startswith("competitions/"):
        return (
            f"Kaggle does not give out {name}: log in and accept the rules at "
            f"{_SITE}/{name}/rules, and see that the token of this machine is yours"
        )
    if status == 403:
        return (
            f"Kaggle does not give out {name}: it does not exist, is private, or asks for consent "
            f"at {_SITE}/datasets/{name}"
        )
    if status == 404:
        return f"Kaggle has no {name}: compare the name with the address of its page"
    if status == 429:
        return f"Kaggle refuses {name} because of too many downloads: try again later"
    return f"Kaggle cannot give out {name} now (HTTP {status}): try again later"


def _log_in(name: str) -> str:
    return (
        f"Kaggle wants to know who downloads {name}: create a token at {_SITE}/settings and set "
        "KAGGLE_API_TOKEN to it, or save kaggle.json in ~/.kaggle"
    )
