"""Whole pictures from films stored as two half pictures of two moments (interlaced).

Without it, a translator sees combs where things move. FFmpeg's bwdif keeps one frame for each, so
that counts and times stay; frames that are not interlaced pass as they are.
"""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from maquette.data.sources.frames import Frame

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph


def deinterlaced(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames at the same times. A film that changes its size begins anew there."""
    graph, shape = None, None
    waiting: deque[Frame] = deque()
    for frame in frames:
        picture = frame.picture
        if graph is None or shape != (picture.width, picture.height, picture.format.name):
            yield from _rest(graph, waiting)
            shape = picture.width, picture.height, picture.format.name
            graph = _graph(picture)
        waiting.append(frame)
        graph.push(picture)
        yield from _ready(graph, waiting)
    yield from _rest(graph, waiting)


def _graph(picture: "VideoFrame") -> "Graph":
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        time_base=picture.time_base,
    )
    whole = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, whole, graph.add("buffersink")).configure()
    return graph


def _ready(graph: "Graph", waiting: deque[Frame]) -> Iterator[Frame]:
    """What the filter gives up so far, one for each that waits; it holds one back."""
    import av

    while True:
        try:
            picture = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield Frame(waiting.popleft().seconds, picture)


def _rest(graph: "Graph | None", waiting: deque[Frame]) -> Iterator[Frame]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph, waiting)
