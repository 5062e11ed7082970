"""The denoising U-Net: what diffusers' `UNet2DModel` computes, in a third of the code.

Same parameters under the same names, so weights go both ways by copying (docs/decisions/0011). What
differs: any height and width, patches in place of pixels, learning without a class, blocks that
begin as the identity, and settings chosen for two CPU cores.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.core.images import Images, ImageSpec, Labels
from maquette.core.settings import Settings
from maquette.networks.group_norm import GroupNorm
from maquette.networks.unet_blocks import EPSILON, Down, Middle, Up, sinusoids, zero

EncodingName = Literal["sinusoidal", "fourier"]


class UnetSettings(Settings):
    """Size of the network."""

    width: int = Field(default=32, ge=4, le=1024, multiple_of=4)
    """Channels of the finest stage: 32 suits a CPU; a GPU has time for 64 to 128."""

    multipliers: tuple[int, ...] = Field(default=(1, 2, 2), min_length=1, max_length=6)
    """Channels of each stage in multiples of `width`; every stage after the first is half as high
    and wide as the one before."""

    patch: Literal[1, 2, 4] = 1
    """Side in pixels of the patches that become one place of the finest stage (Hoogeboom et al.
    2023, "simple diffusion"): 2 takes less than a third of the time, 1 is diffusers' network."""

    blocks: int = Field(default=1, ge=1, le=8)
    """Residual blocks of each stage on the way down (one more on the way up)."""

    attention: tuple[int, ...] = ()
    """Stages with attention, counted from 0, the finest; the middle always has it."""

    head_channels: int | None = Field(default=None, ge=1)
    """Channels of each head of attention; null for a single head."""

    encoding: EncodingName = "sinusoidal"
    """How the network is told the noise level: sinusoidal (as diffusers) or fourier (random
    frequencies, Tancik et al. 2020; cannot be exported to diffusers)."""

    @model_validator(mode="after")
    def _stages_exist(self) -> "UnetSettings":
        if min(self.multipliers) < 1:
            raise ValueError("multipliers must be 1 or more")
        if any(not 0 <= stage < len(self.multipliers) for stage in self.attention):
            raise ValueError(
                f"attention {list(self.attention)} names a stage that is not there: "
                f"stages are 0 to {len(self.multipliers) - 1}, one for each of multipliers"
            )
        attending = {*self.attention, len(self.multipliers) - 1}
        uneven = (
            self.width * self.multipliers[stage] % (self.head_channels or 1) for stage in attending
        )
        if any(uneven):
            raise ValueError(
                f"head_channels {self.head_channels} does not divide the channels of every stage "
                "with attention: these are width times multipliers"
            )
        return self


class Unet(nn.Module):
    """From noisy pictures, the clock of their noise and their classes to answers of equal size."""

    rates: Tensor

    def __init__(self, spec: ImageSpec, settings: UnetSettings, jumps: int = 0, told: int = 0):
        """`jumps`: how many kinds of them it can be asked for, beside taking noise off; `told`: how
        many numbers describe what was done to a picture."""
        super().__init__()
        s = settings
        self.encoding, self.patch = s.encoding, s.patch
        values = spec.channels * s.patch**2  # of one place
        self.width, self.nothing = s.width, len(spec.classes)  # the label of "no class"
        channels = [s.width * m for m in s.multipliers]
        description, groups = 4 * s.width, group_count(s.width)
        self.conv_in = nn.Conv2d(values, s.width, 3, padding=1)
        self.time_embedding = TwoLayers(s.width, description)
        self.class_embedding = nn.Embedding(self.nothing + 1, description) if spec.classes else None
        self.jump_embedding = None
        if jumps:  # of kind 0 it says nothing, for ever: then this is the network without jumps
            self.jump_embedding = nn.Embedding(jumps + 1, description, padding_idx=0)
            nn.init.zeros_(self.jump_embedding.weight)
        self.told_embedding = zero(nn.Linear(told, description, bias=False)) if told else None
        self.register_buffer("rates", torch.randn(s.width // 2), persistent=s.encoding == "fourier")
        self.down_blocks, skipped = nn.ModuleList(), [s.width]
        for stage, after in enumerate(channels):
            last = stage == len(channels) - 1
            before = channels[max(stage - 1, 0)] if stage else s.width
            heads = (s.head_channels or after) if stage in s.attention else None
            self.down_blocks.append(
                Down((before, after), s.blocks, description, groups, heads, last)
            )
            skipped += [after] * (s.blocks + (not last))
        coarsest = channels[-1]
        self.mid_block = Middle(coarsest, description, groups, s.head_channels or coarsest)
        self.up_blocks, before = nn.ModuleList(), channels[-1]
        for stage in reversed(range(len(channels))):
            after = channels[stage]
            heads = (s.head_channels or after) if stage in s.attention else None
            taken = [skipped.pop() for _ in range(s.blocks + 1)]
            self.up_blocks.append(
                Up((before, after), taken, description, groups, heads, last=stage == 0)
            )
            before = after
        self.conv_norm_out = GroupNorm(groups, s.width, EPSILON)
        self.conv_out = zero(nn.Conv2d(s.width, values, 3, padding=1))

    def forward(
        self,
        images: Images,
        clock: Float[Tensor, " batch"],
        labels: Labels | None,
        jumps: Int[Tensor, " batch"] | None = None,
        told: Float[Tensor, "batch told"] | None = None,
    ) -> Images:
        """`clock` from 0 to about 1000; a label equal to the number of classes says nothing, nor
        does a jump of kind 0, nor zeros of what is told."""
        if not len(images):  # of no pictures torch's pixel_unshuffle makes no patches
            return images
        description = F.silu(self.describe(clock, labels, jumps, told))
        made = [self.conv_in(self._patches(images))]
        for down in self.down_blocks:
            made += down(made[-1], description)
        x = self.mid_block(made[-1], description)
        for up in self.up_blocks:
            x = up(x, made, description)
        answer: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        height, width = images.shape[2:]
        return F.pixel_shuffle(answer, self.patch)[..., :height, :width]

    def _patches(self, images: Images) -> Float[Tensor, "batch values rows columns"]:
        """Side by side as channels; sides that do not divide are continued by their last pixels."""
        height, width = images.shape[2:]
        below, right = -height % self.patch, -width % self.patch
        whole = F.pad(images, (0, right, 0, below), mode="replicate") if below or right else images
        return F.pixel_unshuffle(whole, self.patch)

    def has_learnt_jump(self, kind: int) -> bool:
        """Whether asking for it means anything: what describes a jump begins as nothing."""
        return self.jump_embedding is not None and bool(self.jump_embedding.weight[kind].any())

    def describe(
        self,
        clock: Float[Tensor, " batch"],
        labels: Labels | None,
        jumps: Int[Tensor, " batch"] | None = None,
        told: Float[Tensor, "batch told"] | None = None,
    ) -> Float[Tensor, "batch description"]:
        """The noise level, the class, the jump and what was done to the picture in one vector."""
        if self.encoding == "fourier":
            angles = 2 * torch.pi * (clock.float() / 1000 * 16)[:, None] * self.rates
            features = torch.cat([angles.cos(), angles.sin()], dim=1)
        else:
            features = sinusoids(clock, self.width)
        description: Tensor = self.time_embedding(features)
        if self.class_embedding is not None:
            description = description + self.class_embedding(labels)
        if self.jump_embedding is not None and jumps is not None:
            description = description + self.jump_embedding(jumps)
        if self.told_embedding is not None and told is not None:
            description = description + self.told_embedding(told)
        return description


class TwoLayers(nn.Module):
    """From the encoded noise level to its description."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.linear_1 = nn.Linear(before, after)
        self.linear_2 = nn.Linear(after, after)

    def forward(self, features: Float[Tensor, "batch before"]) -> Float[Tensor, "batch after"]:
        description: Tensor = self.linear_2(F.silu(self.linear_1(features)))
        return description


def group_count(width: int) -> int:
    """Groups of every normalisation: 4 channels of the finest stage each, at most 32 groups.

    Every stage has a multiple of `width` channels, so that they always divide evenly.
    """
    return max(count for count in range(1, 33) if width % count == 0 and width // count >= 4)
