"""The U-Net as diffusers keeps it in a folder: written to be read there, read to begin with here.

diffusers itself is not needed for either: a folder is a config.json beside a safetensors file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from maquette.core.errors import SettingsError
from maquette.core.images import ImageSpec
from maquette.networks.unet import Unet, UnetSettings, group_count
from maquette.networks.unet_blocks import EPSILON

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
# What our network is and theirs may be otherwise; diffusers' own defaults.
_FIXED: Mapping[str, Any] = {
    "time_embedding_type": "positional",
    "freq_shift": 0,
    "flip_sin_to_cos": True,
    "mid_block_type": "UNetMidBlock2D",
    "mid_block_scale_factor": 1,
    "downsample_padding": 1,
    "downsample_type": "conv",
    "upsample_type": "conv",
    "act_fn": "silu",
    "attn_norm_num_groups": None,
    "norm_eps": EPSILON,
    "resnet_time_scale_shift": "default",
    "add_attention": True,
    "class_embed_type": None,
}


def diffusers_config(spec: ImageSpec, settings: UnetSettings) -> dict[str, Any]:
    """The arguments with which diffusers' `UNet2DModel` has these parameters under these names.

    For sinusoidal encoding, no patches and sides that can be halved `len(multipliers) - 1` times.
    """
    attends = [stage in settings.attention for stage in range(len(settings.multipliers))]
    return {
        "sample_size": [spec.height, spec.width],
        "in_channels": spec.channels,
        "out_channels": spec.channels,
        "block_out_channels": [settings.width * m for m in settings.multipliers],
        "down_block_types": ["AttnDownBlock2D" if a else "DownBlock2D" for a in attends],
        "up_block_types": ["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends)],
        "layers_per_block": settings.blocks,
        "attention_head_dim": settings.head_channels,
        "norm_num_groups": group_count(settings.width),
        "time_embedding_dim": 4 * settings.width,
        "num_class_embeds": len(spec.classes) + 1 if spec.classes else None,
        **_FIXED,
    }


def begin_with(network: Unet, folder: Path, spec: ImageSpec, settings: UnetSettings) -> None:
    """Give the network the weights of a diffusers folder: a pipeline's, or a model's alone.

    A folder that knows no classes begins a network that does: every class is the same at first, and
    so are every jump and every change.
    SettingsError, naming the settings to change, when the network there is another one.
    """
    place = folder / "unet" if (folder / "unet").is_dir() else folder
    found = _config(place)
    if settings.patch > 1:
        raise SettingsError(
            f"model.start_from: the network in {place} knows pixels, no patches: train with "
            "model.patch=1"
        )
    _check_size(place, found, settings)
    _check_kind(place, found, diffusers_config(spec, settings))
    weights = _weights(place)
    for name in ("class_embedding", "jump_embedding", "told_embedding"):
        embedding = getattr(network, name)
        if embedding is not None and f"{name}.weight" not in weights:
            weights[f"{name}.weight"] = torch.zeros_like(embedding.weight)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise SettingsError(
            f"model.start_from: the weights in {place} are not those its {CONFIG} describes: save "
            "the pipeline again with a newer diffusers"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object; SettingsError when there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(
            f"model.start_from: {path} cannot be read ({reason}): name a folder that diffusers "
            "saved with save_pretrained, or that `maquette export --to diffusers` wrote"
        ) from error
    except ValueError as error:
        raise SettingsError(f"model.start_from: {path} is not valid JSON") from error
    if not isinstance(content, dict):
        raise SettingsError(f"model.start_from: {path} holds no settings")
    return content


def _config(place: Path) -> dict[str, Any]:
    found = _read_json(place / CONFIG)
    if found.get("_class_name") != "UNet2DModel":
        raise SettingsError(
            f"model.start_from: {place} holds a {found.get('_class_name', 'nameless network')}: "
            "begin with a UNet2DModel"
        )
    return found


def _check_size(place: Path, found: Mapping[str, Any], settings: UnetSettings) -> None:
    """The settings that say how large the network is, told as a person would set them."""
    try:
        width, *_ = channels = [int(count) for count in found["block_out_channels"]]
        kinds = [str(kind) for kind in found["down_block_types"]]
        wanted = {
            "width": width,
            "multipliers": [count // width for count in channels],
            "blocks": int(found["layers_per_block"]),
            "attention": [stage for stage, kind in enumerate(kinds) if kind == "AttnDownBlock2D"],
            "head_channels": found["attention_head_dim"],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"model.start_from: {place / CONFIG} describes no U-Net") from error
    ours = settings.model_dump(mode="json")
    if any(ours[name] != value for name, value in wanted.items()):
        change = " ".join(
            f"--set 'model.{name}={json.dumps(value)}'" for name, value in wanted.items()
        )
        raise SettingsError(
            f"model.start_from: the network in {place} has another size, set it too: {change}"
        )


def _check_kind(place: Path, found: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    for name, value in ours.items():
        there = found.get(name, _FIXED.get(name))
        free = name in ("sample_size", "time_embedding_dim")  # any size; null means ours
        without_classes = name == "num_class_embeds" and there is None
        if there != value and not free and not without_classes:
            raise SettingsError(
                f"model.start_from: the network in {place} cannot begin one for these pictures: "
                f"its {name} is {there}, and {value} is needed"
            )


def _weights(place: Path) -> dict[str, Tensor]:
    try:
        return load_file(place / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise SettingsError(
            f"model.start_from: {place / WEIGHTS} cannot be read: save the pipeline with "
            "safe_serialization=True, pickled weights are never opened"
        ) from error
