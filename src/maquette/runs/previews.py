"""Preview grids while training, always from the same seeds, and the film of them at the end."""

from pathlib import Path

import torch

from maquette.core.images import Batch, to_pixels
from maquette.core.pictures import animation, grid, save_png
from maquette.training.callback import Callback, Moment

FILM = "progress.gif"


class Previews(Callback):
    """Draws what the averaged weights make of a fixed batch."""

    def __init__(self, folder: Path, batch: Batch, every_steps: int, columns: int):
        self.folder, self.batch, self.columns = folder, batch, columns
        self.every_steps = every_steps

    @torch.no_grad()
    def after_step(self, moment: Moment) -> None:
        pictures = to_pixels(moment.average.preview(self.batch))
        self.folder.mkdir(exist_ok=True)
        picture = grid(pictures.cpu(), self.columns, min_tile_px=48)
        save_png(picture, self.folder / f"{moment.progress.step:08d}.png")

    def film(self) -> Path | None:
        """progress.gif, from the grids so far; None with fewer than two."""
        frames = sorted(self.folder.glob("[0-9]*.png"))
        if len(frames) < 2:
            return None
        out = self.folder / FILM
        animation(frames, out)
        return out
