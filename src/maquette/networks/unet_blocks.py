"""The parts of the denoising U-Net, with the arithmetic and the parameter names of diffusers.

Parameter names are diffusers' own, so that a checkpoint becomes a diffusers folder, and such a
folder a starting point, by copying tensors (networks/unet.py). Every block begins as the identity:
its last convolution is zero (Zhang et al. 2019).
"""

import math
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from maquette.networks.group_norm import GroupNorm

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)
Features = Float[Tensor, "batch features rows columns"]
Made = Float[Tensor, "batch made made_rows made_columns"]
Description = Float[Tensor, "batch description"]  # of the noise level and the class
EPSILON = 1e-5  # of every normalisation, as diffusers' default


class ResidualBlock(nn.Module):
    """Two convolutions with the description added in between (Ho et al. 2020, appendix B)."""

    def __init__(self, before: int, after: int, description: int, groups: int):
        super().__init__()
        self.norm1 = GroupNorm(groups, before, EPSILON)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.time_emb_proj = nn.Linear(description, after)
        self.norm2 = GroupNorm(groups, after, EPSILON)
        self.conv2 = zero(nn.Conv2d(after, after, 3, padding=1))
        self.conv_shortcut = nn.Conv2d(before, after, 1) if before != after else None

    def forward(self, x: Features, description: Description) -> Made:
        """`description` has been through SiLU, once for all blocks."""
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = hidden + self.time_emb_proj(description)[:, :, None, None]
        change: Tensor = self.conv2(F.silu(self.norm2(hidden)))
        return change + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    """Every place of the grid looks at every other."""

    def __init__(self, channels: int, groups: int, head_channels: int):
        super().__init__()
        self.heads = channels // head_channels
        self.group_norm = GroupNorm(groups, channels, EPSILON)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([zero(nn.Linear(channels, channels))])

    def forward(self, x: Features) -> Features:
        places = self.group_norm(x).flatten(2).transpose(1, 2)  # (B, rows columns, C)
        asked, offered, told = (  # each (B, heads, rows columns, head_channels)
            project(places).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.to_q, self.to_k, self.to_v)
        )
        heard = F.scaled_dot_product_attention(asked, offered, told).transpose(1, 2).flatten(2)
        change: Tensor = self.to_out[0](heard).transpose(1, 2).unflatten(2, x.shape[2:])
        return x + change


class Halving(nn.Module):
    """Half the rows and columns, rounded up, by a convolution with stride 2."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Features) -> Made:
        smaller: Tensor = self.conv(x)
        return smaller


class Doubling(nn.Module):
    """Nearest neighbours to a given size, then a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Features, rows: int, columns: int) -> Made:
        larger = F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :rows, :columns]
        smoothed: Tensor = self.conv(larger)
        return smoothed


class Down(nn.Module):
    """One stage on the way to the coarsest grid; hands back everything it made on the way."""

    def __init__(
        self,
        channels: tuple[int, int],
        blocks: int,
        description: int,
        groups: int,
        head_channels: int | None,
        last: bool,
    ):
        """`head_channels` of attention after each block; None has none."""
        super().__init__()
        before, after = channels
        entering = [before] + [after] * (blocks - 1)
        self.resnets = nn.ModuleList(
            ResidualBlock(count, after, description, groups) for count in entering
        )
        self.attentions = nn.ModuleList(
            Attention(after, groups, head_channels) for _ in range(blocks) if head_channels
        )
        self.downsamplers = nn.ModuleList([] if last else [Halving(after)])

    def forward(self, x: Features, description: Description) -> list[Tensor]:
        made = []
        for number, block in enumerate(self.resnets):
            x = block(x, description)
            if self.attentions:
                x = self.attentions[number](x)
            made.append(x)
        for halve in self.downsamplers:
            made.append(halve(made[-1]))
        return made


class Middle(nn.Module):
    """Two blocks at the coarsest grid with attention between them."""

    def __init__(self, channels: int, description: int, groups: int, head_channels: int):
        super().__init__()
        self.attentions = nn.ModuleList([Attention(channels, groups, head_channels)])
        self.resnets = nn.ModuleList(
            ResidualBlock(channels, channels, description, groups) for _ in range(2)
        )

    def forward(self, x: Features, description: Description) -> Features:
        x = self.attentions[0](self.resnets[0](x, description))
        refined: Tensor = self.resnets[1](x, description)
        return refined


class Up(nn.Module):
    """One stage on the way back; takes in what the way down made, the last first."""

    def __init__(
        self,
        channels: tuple[int, int],
        skipped: list[int],
        description: int,
        groups: int,
        head_channels: int | None,
        last: bool,
    ):
        """`skipped`: channels of what each block takes in; `head_channels` as on the way down."""
        super().__init__()
        before, after = channels
        entering = [before] + [after] * (len(skipped) - 1)
        self.resnets = nn.ModuleList(
            ResidualBlock(count + skip, after, description, groups)
            for count, skip in zip(entering, skipped, strict=True)
        )
        self.attentions = nn.ModuleList(
            Attention(after, groups, head_channels) for _ in skipped if head_channels
        )
        self.upsamplers = nn.ModuleList([] if last else [Doubling(after)])

    def forward(self, x: Features, made: list[Tensor], description: Description) -> Made:
        """Takes what it needs from the end of `made`."""
        for number, block in enumerate(self.resnets):
            x = block(torch.cat([x, made.pop()], dim=1), description)
            if self.attentions:
                x = self.attentions[number](x)
        for double in self.upsamplers:
            x = double(x, *made[-1].shape[2:])
        return x


def sinusoids(clock: Float[Tensor, " batch"], features: int) -> Float[Tensor, "batch features"]:
    """Cosines and sines of wavelengths from 2 pi to 20000 pi (Vaswani et al. 2017, section 3.5),
    in the order of diffusers' `Timesteps(flip_sin_to_cos=True, downscale_freq_shift=0)`."""
    half = features // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, device=clock.device) / half)
    angles = clock.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def zero(layer: Layer) -> Layer:
    """Weights and bias 0, so that a residual branch begins by adding nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
