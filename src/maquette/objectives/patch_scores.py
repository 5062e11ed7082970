"""What a patch discriminator says of pictures that are changed at random on their way to it."""

from jaxtyping import Float
from torch import Tensor, nn

from maquette.core.images import Images, Scalar, Seeds
from maquette.objectives.augmentation import AugmentationSettings, augment


def patch_scores(
    discriminator: nn.Module,
    images: Images,
    seeds: Seeds,
    strength: Scalar | None,
    settings: AugmentationSettings,
    stream: str,
) -> list[Float[Tensor, " patches"]]:
    """In single precision, by head; of all pictures laid end to end.

    Each chosen change happens with probability `strength`; None leaves pictures as they are.
    """
    if strength is not None:
        images = augment(images, seeds, strength, settings, stream)
    return [scores.float() for scores in discriminator(images)]
