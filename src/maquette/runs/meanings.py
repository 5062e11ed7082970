"""What each number asks, in plain words, for readers who were not there."""

_MEANINGS = {  # by how names begin
    "kernel distance": "How far all pictures together are from real ones; right for few as well",
    "Fréchet distance inside classes": "The Fréchet distance within each class, averaged",
    "Fréchet distance": "How far all pictures together are from real ones, by mean and spread",
    "memorisation-informed": "The Fréchet distance, made worse by pictures that copy training ones",
    "copies of training pictures": "Share of pictures nearer to a training picture than is natural",
    "precision": "Share of generated pictures that look like some real one",
    "recall": "Share of real pictures that the model could have made",
    "density": "How deep inside the real pictures the generated ones lie",
    "coverage": "Share of real pictures with a generated one close by",
    "label agreement": "Share that an independent classifier reads as the class asked for",
    "spread inside a class": "How varied the pictures of one class are, against real ones",
    "Parzen-window": "How likely held-out pictures are, the old way; for older papers",
}
_HEADLINES = ("kernel distance", "label agreement", "copies of training pictures")


def meaning(name: str) -> str:
    """A sentence for a number of this name, empty for one that is not known."""
    return next((words for start, words in _MEANINGS.items() if name.startswith(start)), "")


def headlines(names: list[str], most: int = 3) -> list[str]:
    """Those to open a page with: how near, of the right class, and not copied; else the first."""
    found = [next((n for n in names if n.startswith(start)), None) for start in _HEADLINES]
    chosen = [name for name in found if name is not None]
    return [*chosen, *(name for name in names if name not in chosen)][:most]
