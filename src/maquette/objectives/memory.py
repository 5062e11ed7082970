"""A memory of generated pictures, so that a discriminator does not forget what it has seen.

Shrivastava et al. 2017, section 2.3; as CycleGAN uses it (Zhu et al. 2017, section 4: 50 pictures).
It is a buffer, so it survives an interruption, and its choices follow from the pictures' seeds, so
micro-batches add up to the batch.
"""

import torch
from torch import Tensor, nn

from maquette.core.images import Images, Seeds
from maquette.core.randomness import uniform


class ImageMemory(nn.Module):
    """Keeps up to `size` pictures."""

    pictures: Tensor
    count: Tensor

    def __init__(self, size: int, shape: tuple[int, int, int]):
        """`shape` is (channels, height, width) of each picture."""
        super().__init__()
        self.register_buffer("pictures", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def exchange(self, fresh: Images, seeds: Seeds, stream: str) -> Images:
        """For each picture itself, or, once the memory is full, with probability 1/2 an old one.

        Whoever is given away leaves its place to the fresh picture. Same shape as `fresh`.
        """
        size = len(self.pictures)
        if not size:
            return fresh.detach()
        drawn = uniform(seeds, 2, stream=stream)
        given = fresh.detach().clone()
        filled = int(self.count)
        for i, (coin, place) in enumerate(drawn.tolist()):
            if filled < size:
                self.pictures[filled] = fresh[i].to(self.pictures.dtype)
                filled += 1
            elif coin < 0.5:
                index = int(place * size)
                given[i] = self.pictures[index]
                self.pictures[index] = fresh[i]
        self.count.fill_(filled)
        return given
