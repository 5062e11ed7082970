"""The game against a discriminator with one head or two, each with an objective of its own.

Two heads on one trunk (the "dual head" of the Monet competition's best systems): the first is high
on real pictures and plays the hinge game, the second is high on generated ones and plays binary
cross-entropy. One saturates where the other still has a slope, so neither player starves.
"""

from collections.abc import Sequence

from torch.nn import functional as F

from maquette.core.images import Scalar
from maquette.objectives.adversarial import AdversarialLoss, Hinge, Scores


def discriminator_loss(
    real: Sequence[Scores], fake: Sequence[Scores], single: AdversarialLoss
) -> Scalar:
    """What the discriminator minimises, given scores by head; `single` is the one-headed game."""
    if len(real) == 1:
        return single.discriminator(real[0], fake[0])
    generated_or_not = F.softplus(real[1]).mean() + F.softplus(-fake[1]).mean()
    return Hinge().discriminator(real[0], fake[0]) + generated_or_not


def generator_loss(fake: Sequence[Scores], single: AdversarialLoss) -> Scalar:
    """What the generator minimises; the games here look at generated pictures alone."""
    if len(fake) == 1:
        return single.generator(fake[0], fake[0])
    return Hinge().generator(fake[0], fake[0]) + F.softplus(fake[1]).mean()
