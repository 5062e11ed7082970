"""Small pictures with a layout, made by rule: enough to tell a right measure from a wrong one."""

import torch
import torch.nn.functional as F


def scenes(
    count: int, *, seed: int, channels: int = 3, size: tuple[int, int] = (32, 32)
) -> torch.Tensor:
    """uint8 pictures of a bright disc above a dark ground with soft texture."""
    random = torch.Generator().manual_seed(seed)
    height, width = size
    y = torch.linspace(0, 1, height)[:, None]
    x = torch.linspace(0, 1, width)[None, :]
    centre = torch.rand(count, 2, 1, 1, generator=random)
    distance = (y - 0.2 - 0.2 * centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2
    colour = torch.rand(count, channels, 1, 1, generator=random)
    disc = (distance < 0.03).float()[:, None] * colour
    texture = torch.rand(count, 1, 8, 8, generator=random)
    texture = F.interpolate(texture, size=size, mode="bilinear", align_corners=False)
    picture = 0.6 * disc + 0.25 * texture + 0.15 * (1 - y)
    return (picture.expand(-1, channels, -1, -1).clamp(0, 1) * 255).byte()
