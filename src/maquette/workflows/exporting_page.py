"""The page of a classifier: a folder for any static host, or one HTML file that opens from disk.

Either way it is told, in its own header, to ask nothing of anyone.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from maquette.core.pages import page_templates
from maquette.web import asset
from maquette.workflows.exporting_runtime import GLUE, SCRIPT, WASM, RuntimeFile

STYLES = ("drawing-pad.css", "answer-bars.css", "page.css")
MODULES = ("answer-bars.js", "answering.js", "drawing-pad.js")  # those that page.js imports
WORKER = "answering-worker.js"

_NOTHING_ELSE = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:"
_IMPORT = re.compile(r"^import .*;\n", re.M)
_EXPORT = re.compile(r"^export ", re.M)

Runtime = Mapping[RuntimeFile, bytes]
Graphs = Mapping[str, bytes]


def site(about: Mapping[str, Any], graphs: Graphs, runtime: Runtime) -> dict[str, bytes]:
    """File names and contents of a folder: few files, since each costs a request.

    The runtime's modules end in .js here: not every host knows that .mjs is JavaScript.
    """
    policy = (
        f"{_NOTHING_ELSE}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "style-src 'self'; connect-src 'self'"
    )
    files = {
        "index.html": _page(about, policy, blocks=[]),
        "page.css": _style(),
        "page.js": _script("parts-beside.js"),
        WORKER: asset(WORKER),
    }
    return (
        {name: text.encode() for name, text in files.items()}
        | {f"{name}.onnx": content for name, content in graphs.items()}
        | {file.name.replace(".mjs", ".js"): content for file, content in runtime.items()}
    )


def single_file(about: Mapping[str, Any], graphs: Graphs, runtime: Runtime) -> bytes:
    """One HTML file; what is not text travels in it as base64 of gzip."""
    script, style = _script("parts-embedded.js"), _style()
    policy = (
        f"{_NOTHING_ELSE}; script-src {_hash(script)} 'wasm-unsafe-eval' blob:; worker-src blob:; "
        f"style-src {_hash(style)}"
    )
    parts = {"runtime": runtime[SCRIPT], "glue": runtime[GLUE], "wasm": runtime[WASM], **graphs}
    blocks = [{"name": "worker", "text": Markup(asset(WORKER))}]
    blocks += [{"name": name, "text": _packed(content)} for name, content in parts.items()]
    page = _page(about, policy, blocks=blocks, style=Markup(style), script=Markup(script))
    return page.encode()


def _page(about: Mapping[str, Any], policy: str, **parts: Any) -> str:
    draws, count = "drawing" in about["graphs"], len(about["classes"])
    return (
        page_templates("maquette.web")
        .get_template("index.html.j2")
        .render(
            about=about,
            policy=policy,
            title="Draw something" if draws else "Show it a picture",
            lead=f"It knows {count} classes and answers as you draw."
            if draws
            else f"It knows {count} classes and answers at once.",
            hint="Draw here, or drop a picture" if draws else "Drop a picture here, or draw",
            **parts,
        )
    )


def _style() -> str:
    """The look of all pages, and what this one adds."""
    environment = page_templates("maquette.web")
    assert environment.loader is not None
    house, *_ = environment.loader.get_source(environment, "page.css")
    return "\n".join((house, *(asset(name) for name in STYLES)))


def _script(parts: str) -> str:
    """All modules as one: without imports and exports, each after those it needs."""
    names = (*MODULES, parts, "page.js")
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", asset(name))) for name in names)


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()
