"""What a network is asked for, and how its answer becomes a picture without noise.

Every target is a way of writing the denoised picture as

    D(y) = skip y + out F(scale y)

with F the network (Karras et al. 2022, equation 7; here in the straight blend of levels.py), and a
loss that compares F with what it should have been.
"""

from abc import ABC, abstractmethod
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from maquette.core.images import Images
from maquette.noising.levels import preserving, radius, snr

Each = Float[Tensor, "*levels"]  # a number for each level
TargetName = Literal["epsilon", "v", "x0", "edm", "flow"]
WeightName = Literal["even", "min_snr"]

SIGMA_DATA = 0.5  # standard deviation of pictures in [-1, 1], about (Karras et al. 2022, table 1)
MOST_SNR = 5.0  # gamma of Hang et al. 2023


class Target(ABC):
    """scale, skip and out at shares in [0, 1]."""

    @abstractmethod
    def scale(self, shares: Each) -> Each:
        """What y is multiplied by on its way into the network."""

    @abstractmethod
    def skip(self, shares: Each) -> Each:
        """How much of y is in the denoised picture."""

    @abstractmethod
    def out(self, shares: Each) -> Each:
        """How much of the network's answer is in it."""

    @abstractmethod
    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:
        """What F should have been: (x - skip y) / out, in a form that is finite at both ends."""

    def answer(self, images: Images, y: Images, shares: Each) -> Images:
        """What F should have been for `images` to be the denoised pictures: (x - skip y) / out."""
        skip, out = self.skip(shares), self.out(shares)
        return (images - skip * y) / out

    def weight(self, shares: Each, name: WeightName) -> Each:
        """Of the squared error of F: 1, or such that the error of the picture weighs
        min(SNR, 5) (Hang et al. 2023, section 3.4)."""
        if name == "even":
            return shares.new_ones(shares.shape)
        return snr(shares).clamp(max=MOST_SNR) * self.out(shares).square()


class Epsilon(Target):
    """The noise (Ho et al. 2020, equation 12). Says nothing about the picture at a share of 1, so
    no schedule may reach it."""

    def scale(self, shares: Each) -> Each:
        return 1 / radius(shares)

    def skip(self, shares: Each) -> Each:
        return 1 / (1 - shares)

    def out(self, shares: Each) -> Each:
        return -shares / (1 - shares)

    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:  # noqa: ARG002
        return noise


class Velocity(Target):
    """v = a e - b x, variance-preserving (Salimans and Ho 2022, section 4)."""

    def scale(self, shares: Each) -> Each:
        return 1 / radius(shares)

    def skip(self, shares: Each) -> Each:
        return preserving(shares)[0] / radius(shares)

    def out(self, shares: Each) -> Each:
        return -preserving(shares)[1]

    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:
        a, b = preserving(shares)
        return a * noise - b * images


class Picture(Target):
    """The picture itself, x0."""

    def scale(self, shares: Each) -> Each:
        return 1 / radius(shares)

    def skip(self, shares: Each) -> Each:
        return shares.new_zeros(shares.shape)

    def out(self, shares: Each) -> Each:
        return shares.new_ones(shares.shape)

    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:  # noqa: ARG002
        return images


class Edm(Target):
    """Input and target of variance 1 at every level (Karras et al. 2022, table 1 and appendix B.6).

    With sigma = share / (1 - share) and y = (1 - share)(x + sigma e), their c_in, c_skip and c_out
    become finite at both ends.
    """

    def scale(self, shares: Each) -> Each:
        return (shares.square() + (SIGMA_DATA * (1 - shares)).square()).rsqrt()

    def skip(self, shares: Each) -> Each:
        return SIGMA_DATA**2 * (1 - shares) * self.scale(shares).square()

    def out(self, shares: Each) -> Each:
        return SIGMA_DATA * shares * self.scale(shares)

    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:
        # (x - skip y) / out with out^2 = (SIGMA_DATA share scale)^2 and the share divided out.
        scale = self.scale(shares)
        return scale * (shares * images / SIGMA_DATA - SIGMA_DATA * (1 - shares) * noise)


class Flow(Target):
    """The straight way from the picture to the noise, e - x (Liu et al. 2023, equation 1)."""

    def scale(self, shares: Each) -> Each:
        return shares.new_ones(shares.shape)

    def skip(self, shares: Each) -> Each:
        return shares.new_ones(shares.shape)

    def out(self, shares: Each) -> Each:
        return -shares

    def wanted(self, images: Images, noise: Images, shares: Each) -> Images:  # noqa: ARG002
        return noise - images


TARGETS: dict[TargetName, Target] = {
    "epsilon": Epsilon(),
    "v": Velocity(),
    "x0": Picture(),
    "edm": Edm(),
    "flow": Flow(),
}
