"""The base of every settings class: immutable, typed, bounded, and a misspelt field is an error."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Settings live with the code they set; `maquette.recipe` only composes them.

    Every field carries a description and, where it has one, its unit in its name: the description
    feeds `--help`, the docs and the studio's forms.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
