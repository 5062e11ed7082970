"""PatchGAN: a discriminator that judges overlapping patches, so pictures may be of any size.

Isola et al. 2017, section 3.2; as CycleGAN uses it (Zhu et al. 2017, appendix 7.2). Notable: one
trunk may carry two heads, so that two objectives can be asked of it at once.
"""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from maquette.core.errors import SettingsError
from maquette.core.images import Images, ImageSpec
from maquette.networks.instance_norm import InstanceNorm

SMALLEST_PX = 16
_COARSEST_PX = 3  # two convolutions still to come take a pixel each
Normalisation = Literal["instance", "spectral"]
PatchScores = Float[Tensor, " patches"]  # of all pictures of a batch, laid end to end


def check_size(spec: ImageSpec, halvings: int) -> None:
    """SettingsError for pictures of which no patch is left after so many halvings."""
    shorter = min(spec.height, spec.width)
    if shorter < SMALLEST_PX:
        raise SettingsError(
            f"pictures of {spec.height}x{spec.width} px are too small to translate: build the "
            f"dataset with {SMALLEST_PX} px or more on each side"
        )
    if shorter >> halvings < _COARSEST_PX:
        raise SettingsError(
            f"pictures of {spec.height}x{spec.width} px are too small for a discriminator with "
            f"{halvings} halvings: set model.discriminator.halvings lower, to 2 for example"
        )


class PatchDiscriminator(nn.Module):
    """C64-C128-C256-C512 and a convolution to one score a patch of 70 x 70 px, at `halvings` 3.

    2,764,737 parameters for RGB with width 64 and one head. Two halvings see 34 x 34 px, which
    suits pictures of 64 px.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        halvings: int = 3,
        heads: int = 1,
        normalisation: Normalisation = "instance",
    ):
        super().__init__()
        sizes = [width * 2 ** min(stage, 3) for stage in range(halvings + 1)]
        strides = [2] * (halvings - 1) + [1]
        layers = [_convolution(channels, width, 2, normalisation), nn.LeakyReLU(0.2)]
        for before, after, stride in zip(sizes[:-1], sizes[1:], strides, strict=True):
            layers += [_convolution(before, after, stride, normalisation)]
            if normalisation == "instance":
                layers += [InstanceNorm(after)]
            layers += [nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleList(
            _convolution(sizes[-1], 1, 1, normalisation) for _ in range(heads)
        )

    def forward(self, images: Images) -> list[PatchScores]:
        """Scores by head."""
        features = self.trunk(images)
        return [head(features).flatten() for head in self.heads]


def _convolution(before: int, after: int, stride: int, normalisation: Normalisation) -> nn.Module:
    convolution = nn.Conv2d(before, after, 4, stride=stride, padding=1)
    nn.init.normal_(convolution.weight, 0.0, 0.02)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    if normalisation == "spectral":
        wrapped: nn.Module = spectral_norm(convolution)
        return wrapped
    return convolution
