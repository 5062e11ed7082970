"""A run's network as something that takes pictures of any size: whole, in tiles, and fast.

How large a piece the network gets at once follows from the memory of the device and from what its
layers hold, measured once on a small picture.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from maquette.core.errors import RunError, unknown_name
from maquette.core.family import Translates
from maquette.core.images import Images, ImageSpec, Pixels, to_float, to_pixels
from maquette.networks.tiling import (
    OVERLAP_PX,
    SAMPLED_TILES,
    translated_in_tiles,
    translated_whole,
)
from maquette.runs.folder import Run

_SHARE_OF_MEMORY = 0.25
_TIMES_LARGEST_LAYER = 4  # inputs, results and reordered copies alive at once
_LEAST_TILE_PX = 2 * OVERLAP_PX
_PROBE_PX = 64
_CPU_PASS_PX = 2**16  # more at once made one core slower, 4 frames of 256x144 by a tenth


@dataclass(frozen=True)
class Wish:
    """What to do with every picture and film."""

    strength: float = 1.0  # share of the translation; the rest is the source
    shorter_px: int | None = None  # reduce to this shorter side first; None leaves sizes alone
    compare: bool = False  # the source at the left, its translation at the right
    steady: bool = False  # lower the flicker of films


@dataclass(frozen=True)
class NetworkSize:
    """What one direction of a family takes."""

    layer_bytes: float  # what the largest layer takes in and gives out, a pixel of the picture
    parameters: int


class PictureTranslator:
    """uint8 pictures of one size to their translations, any size, on whatever device."""

    def __init__(
        self,
        family: Translates,
        direction: str,
        strength: float = 1.0,
        largest_px: int | None = None,
        identity: str = "",
    ):
        """`direction` is one of the family's; `largest_px` bounds what goes through at once.

        `identity` tells these weights from others.
        """
        self.family, self.direction, self.strength = family, direction, strength
        self.identity = identity
        self.spec: ImageSpec = family.spec
        self.device = next(family.parameters()).device
        self.size = network_size(family, direction)
        self.largest_px = largest_px or largest_at_once(self.size, self.device)
        self.network: Callable[[Images], Images] = self._eager

    @property
    def pass_px(self) -> int:
        """Pixels of all pictures that go through the network together, where one is no larger."""
        return min(self.largest_px, _CPU_PASS_PX) if self.device.type == "cpu" else self.largest_px

    def copy(self) -> "PictureTranslator":
        """The same weights, computed by torch."""
        return PictureTranslator(
            self.family, self.direction, self.strength, self.largest_px, self.identity
        )

    @torch.inference_mode()
    def __call__(self, pixels: Pixels) -> Pixels:
        """On the CPU, as given. Too large for memory at once: in tiles, one picture at a time."""
        images = to_float(pixels.to(self.device))
        area = images.shape[2] * images.shape[3]
        if area <= self.largest_px:
            per_pass = max(1, self.pass_px // area)
            parts = [translated_whole(self.network, part) for part in torch.split(images, per_pass)]
        else:
            tile_px = max(_LEAST_TILE_PX, int((self.largest_px / SAMPLED_TILES) ** 0.5) // 8 * 8)
            parts = [
                translated_in_tiles(self._eager, self.family, image[None], tile_px)
                for image in images
            ]
        made = torch.cat(parts)
        return to_pixels(images + self.strength * (made - images)).cpu()

    def _eager(self, images: Images) -> Images:
        ordered = images.contiguous(memory_format=torch.channels_last)
        return self.family.translate(ordered, self.direction)


def open_translator(
    run: Run, direction: str | None, strength: float, device: torch.device
) -> PictureTranslator:
    """With the weights the run serves. RunError when it does not translate (that way)."""
    if not 0 <= strength <= 1:
        raise RunError(f"--strength {strength:g}: give a share from 0 (the source) to 1")
    entry = run.served().entry
    family = run.family_at(entry, str(device))
    if not isinstance(family, Translates):
        raise RunError(f"{run.folder} holds a {run.recipe.family}, which does not translate")
    chosen = chosen_direction(run, family, direction)
    family.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    identity = hashlib.sha256((entry.folder / "manifest.json").read_bytes()).hexdigest()
    return PictureTranslator(family, chosen, strength, identity=identity)


def chosen_direction(run: Run, family: Translates, wanted: str | None) -> str:
    """One of the family's, from "a-to-b" or the names of the domains; its first for None."""
    a, b = run.spec.classes
    names = {direction: direction_name(run, direction) for direction in ("a_to_b", "b_to_a")}
    known = {names[direction]: direction for direction in family.directions}
    if wanted is None:
        return family.directions[0]
    plain = wanted.replace("_", "-")
    for direction, name in names.items():
        if wanted == name or plain.lower() in (direction.replace("_", "-"), name.lower()):
            if direction not in family.directions:
                raise RunError(
                    f"{run.folder} translates only {next(iter(known))} ({run.recipe.family} learns "
                    f"one direction): for {name} train another run with "
                    f"--set data.domains=[{b},{a}]"
                )
            return direction
    ways = [way for name, way in known.items() for way in (name, way.replace("_", "-"))]
    raise RunError("--direction: " + unknown_name("direction", wanted, ways))


def direction_name(run: Run, direction: str) -> str:
    """A direction in the names of the domains: "horse-to-zebra"."""
    a, b = run.spec.classes
    return f"{a}-to-{b}" if direction == "a_to_b" else f"{b}-to-{a}"


def largest_at_once(size: NetworkSize, device: torch.device) -> int:
    """Pixels that fit into a share of the device's memory, all frames of a batch together."""
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory
    else:
        memory = psutil.virtual_memory().total
    needed = _TIMES_LARGEST_LAYER * size.layer_bytes
    return max(_LEAST_TILE_PX**2, int(_SHARE_OF_MEMORY * memory / needed))


@torch.inference_mode()
def network_size(family: Translates, direction: str) -> NetworkSize:
    """Measured on a small picture."""
    bytes_of_layers, used = [1.0], dict[nn.Module, int]()

    def measure(module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        bytes_of_layers.append((given[0].nbytes + made.nbytes) / _PROBE_PX**2)
        used[module] = sum(parameter.numel() for parameter in module.parameters())

    leaves = [module for module in family.modules() if not any(module.children())]
    hooks = [leaf.register_forward_hook(measure) for leaf in leaves]
    device = next(family.parameters()).device
    try:
        shape = (1, family.spec.channels, _PROBE_PX, _PROBE_PX)
        family.translate(torch.zeros(shape, device=device), direction)
    finally:
        for hook in hooks:
            hook.remove()
    return NetworkSize(max(bytes_of_layers), sum(used.values()))
