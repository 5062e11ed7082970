"""Adversarial losses: what a discriminator and a generator each minimise, given scores.

A score is an unbounded number per picture; higher means "looks real". All losses are means over the
batch, so micro-batches add up.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from maquette.core.images import Scalar

Scores = Float[Tensor, " batch"]
LossName = Literal["bce", "hinge", "least_squares", "relativistic"]


@dataclass(frozen=True)
class AdversarialLoss(ABC):
    """Both sides of one game. `real` and `fake` are scores of equally many pictures."""

    border: float = 0.0  # the score at which the discriminator cannot tell

    @abstractmethod
    def discriminator(self, real: Scores, fake: Scores) -> Scalar:
        """What the discriminator minimises."""

    @abstractmethod
    def generator(self, real: Scores, fake: Scores) -> Scalar:
        """What the generator minimises; only relativistic games look at `real`."""

    def verdicts(self, real: Scores, fake: Scores) -> Scores:
        """+1 for each real picture that the discriminator takes for real, -1 for the others."""
        del fake
        return (real - self.border).sign()

    def real_correct(self, real: Scores, fake: Scores) -> Scalar:
        """Share of real pictures that the discriminator takes for real, 0 to 1."""
        return (self.verdicts(real, fake) > 0).float().mean()

    def fake_correct(self, real: Scores, fake: Scores) -> Scalar:
        """Share of generated pictures that the discriminator takes for generated, 0 to 1."""
        del real
        return (fake < self.border).float().mean()


class BinaryCrossEntropy(AdversarialLoss):
    """The non-saturating game (Goodfellow et al. 2014, section 3)."""

    def discriminator(self, real: Scores, fake: Scores) -> Scalar:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, real: Scores, fake: Scores) -> Scalar:
        del real
        return F.softplus(-fake).mean()


class Hinge(AdversarialLoss):
    """The hinge game (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""

    def discriminator(self, real: Scores, fake: Scores) -> Scalar:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, real: Scores, fake: Scores) -> Scalar:
        del real
        return -fake.mean()


class LeastSquares(AdversarialLoss):
    """Real is 1, generated is 0 (Mao et al. 2017, equation 9).

    Halved for the discriminator alone (Zhu et al. 2017, section 4: "which slows down the rate at
    which D learns"), so that weights of other terms, like the cycle's 10, mean what papers mean.
    """

    def discriminator(self, real: Scores, fake: Scores) -> Scalar:
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator(self, real: Scores, fake: Scores) -> Scalar:
        del real
        return (fake - 1).square().mean()


class Relativistic(AdversarialLoss):
    """Each generated picture against one real one (Jolicoeur-Martineau 2018, section 4.2; Huang et
    al. 2024, "The GAN is dead; long live the GAN!", equation 2): only differences of scores count.
    """

    def discriminator(self, real: Scores, fake: Scores) -> Scalar:
        return F.softplus(fake - real).mean()

    def generator(self, real: Scores, fake: Scores) -> Scalar:
        return F.softplus(real - fake).mean()

    def verdicts(self, real: Scores, fake: Scores) -> Scores:
        """+1 for each pair in the right order: single scores mean nothing in this game."""
        return (real - fake).sign()

    def fake_correct(self, real: Scores, fake: Scores) -> Scalar:
        return self.real_correct(real, fake)


LOSSES: dict[LossName, AdversarialLoss] = {
    "bce": BinaryCrossEntropy(),
    "hinge": Hinge(),
    "least_squares": LeastSquares(border=0.5),
    "relativistic": Relativistic(),
}
