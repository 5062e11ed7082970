"""What a recipe says of translators and their judges: what families that translate share."""

from typing import Literal

from pydantic import Field

from maquette.core.settings import Settings
from maquette.networks.light_translator import LightTranslator
from maquette.networks.patches import Normalisation, PatchDiscriminator
from maquette.networks.translators import (
    ResidualTranslator,
    Start,
    Translator,
    UNetTranslator,
    Upsampling,
)

NETWORKS: dict[str, type[Translator]] = {
    "residual": ResidualTranslator,
    "unet": UNetTranslator,
    "light": LightTranslator,
}


class TranslatorSettings(Settings):
    """Networks that translate; a family adds what they play for."""

    network: Literal["residual", "unet", "light"] = "residual"
    """Architecture of every translator: the paper's, or one for little computing."""
    width: int = Field(default=64, ge=1, le=1024)
    """Channels of a translator's finest stage."""
    blocks: int = Field(default=9, ge=1, le=32)
    """Residual blocks of each translator: 9 at 256 px, 6 at 128 px; of `light` at each size."""
    upsampling: Upsampling = "resize"
    """The paper's transposed convolutions, or resizing first, which leaves no checkerboards."""
    start: Start = "identity"
    """Where a translator begins: at the picture itself, or at random as in the paper."""

    def build_translator(self, channels: int) -> Translator:
        """One for pictures of so many channels."""
        kind = NETWORKS[self.network]
        return kind(channels, self.width, self.blocks, self.upsampling, self.start)

    def tap_channels(self, channels: int) -> list[int]:
        """Channels of each of the translator's taps."""
        return NETWORKS[self.network].tap_channels(channels, self.width)


class JudgeSettings(Settings):
    """Who judges the translations."""

    width: int = Field(default=64, ge=1, le=1024)
    """Channels of the first convolution."""
    halvings: int = Field(default=3, ge=1, le=5)
    """How large a patch is: 2 see 34 px, 3 see 70 px, 4 see 142 px."""
    normalisation: Normalisation = "instance"
    """The paper's instance, or spectral (Miyato et al. 2018)."""

    def build(self, channels: int, heads: int = 1) -> PatchDiscriminator:
        """One for pictures of so many channels."""
        return PatchDiscriminator(channels, self.width, self.halvings, heads, self.normalisation)
