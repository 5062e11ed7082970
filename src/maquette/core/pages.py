"""Pages that people open: HTML which needs nothing beside itself, in one look.

Whatever a page shows is escaped, and its header forbids scripts and anything from elsewhere.
"""

import base64

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def page_templates(package: str) -> Environment:
    """The templates of a package ("maquette.runs"), which may include the shared `page.css`."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("maquette.core")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_uri(content: bytes, kind: str) -> Markup:
    """A picture inside the page; `kind` is "png", "jpeg" or "gif"."""
    return Markup(f"data:image/{kind};base64,{base64.b64encode(content).decode()}")
