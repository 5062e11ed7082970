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
    "content kept": "Are the same things in the same places after translating",
    "edges kept": "Are outlines where they were, whatever became of light and colour",
    "cycle error": "How far a picture is from itself, translated there and back",
    "identity error": "How much changes in a picture that needs no translation",
    "top-1 accuracy": "Share of pictures whose class is the first answer",
    "top-3 accuracy": "Share of pictures whose class is among the first three answers",
    "accuracy after": "Share right when no more of the drawing is there",
    "MAP@3": "How early the right class comes among three answers",
    "calibration error": "How far the confidence of answers is from how often they are right",
    "temperature": "Above 1: answers would be surer than they are right; below 1: less sure",
}
_HEADLINES = (
    "kernel distance",
    "label agreement",
    "content kept",
    "copies of training pictures",
    "top-1 accuracy",
    "MAP@3",
    "calibration error",
)


def meaning(name: str) -> str:
    """A sentence for a number of this name, empty for one that is not known."""
    return next((words for start, words in _MEANINGS.items() if name.startswith(start)), "")


def headlines(names: list[str], most: int = 3) -> list[str]:
    """Those to open a page with: how near, how right, and not copied; else the first.

    Of a translator both directions; of a number taken with several networks the first.
    """
    titles = {name.partition(" (")[0]: name for name in reversed(names)}
    found = [[n for t, n in titles.items() if t.startswith(start)][::-1] for start in _HEADLINES]
    chosen = [name for same in found for name in same]
    return [*chosen, *(name for name in names if name not in chosen)][:most]
