"""A diffusion model as a folder of diffusers, which makes the same pictures from the same noise.

diffusers itself is not needed: the folder is four small files and the weights.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from maquette import __version__
from maquette.core.errors import RunError, SettingsError, unknown_name
from maquette.families.diffusion import Diffusion, DiffusionSettings
from maquette.networks.unet_folder import CONFIG, WEIGHTS, diffusers_config
from maquette.noising.jumps import STEPS as JUMPS
from maquette.noising.scheduler_folder import PLACE, scheduler_config
from maquette.runs.folder import Run
from maquette.workflows.exporting_files import ABOUT

_DIFFUSERS = "0.30.0"  # the release whose names these are; later ones read them too
_CARD = """\
# {name}

{what}, made by a network that learnt from {dataset}. Exported by Maquette {version}.

```python
from diffusers import {pipeline}

pipeline = {pipeline}.from_pretrained("path/to/this/folder")
pictures = pipeline(batch_size=16, {arguments}).images
```
{remark}{left_behind}"""
_REMARK = """
With `use_clipped_model_output=True` and steps that divide {steps}, pictures are those that the
sampler `ddim` of Maquette makes from the same noise without guidance or jumps; else they differ.
"""
_MANY_STEPS = 50


def pipeline_files(run: Run, class_name: str | None) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of a folder that DDPMPipeline and DDIMPipeline load, by their names, and what these
    pipelines cannot do, in a sentence each.

    They ask for no class: the folder makes pictures of `class_name`, or where that is None of no
    class in particular. RunError or SettingsError when they could not make them.
    """
    family = run.served_family()
    if not isinstance(family, Diffusion):
        raise RunError(
            f"{run.folder} holds a {run.recipe.family}, which diffusers does not know: only "
            "diffusion models can be exported there"
        )
    settings = family.settings
    scheduler = scheduler_config(settings)
    config = diffusers_config(family.spec, settings) | {"num_class_embeds": None}
    _check_network(family)
    weights = _of_one_class(family, class_name)
    ancestral = settings.sampler == "ddpm"
    pipeline = "DDPMPipeline" if ancestral else "DDIMPipeline"
    index = {
        "_class_name": pipeline,
        "_diffusers_version": _DIFFUSERS,
        "scheduler": ["diffusers", "DDPMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    }
    left_behind = tuple(_left_behind(family.settings, class_name))
    files = {
        "model_index.json": _json(index),
        f"unet/{CONFIG}": _json(_named("UNet2DModel") | config),
        f"unet/{WEIGHTS}": save(weights, {"format": "pt"}),
        PLACE.as_posix(): _json(_named("DDPMScheduler") | scheduler),
        "README.md": _card(run, family, pipeline, class_name, left_behind).encode(),
        ABOUT: _json(_about(run, class_name)),
    }
    return files, left_behind


def _left_behind(settings: DiffusionSettings, class_name: str | None) -> Iterator[str]:
    """What `generate` does and the pipelines do not."""
    if class_name is not None and settings.guidance != 1:
        yield (
            f"guidance stays behind: these pipelines have none, and make what Maquette makes with "
            f"model.guidance=1, not {settings.guidance:g}"
        )
    if settings.jumping_share:
        yield (
            "jumps stay behind: these pipelines need many steps, and with a few they make worse "
            "pictures than Maquette does"
        )


def _steps(settings: DiffusionSettings) -> int:
    """To advise: those of the run, unless they are jumps."""
    jumps = settings.jumping_share and settings.sampling_steps in JUMPS
    return min(_MANY_STEPS, settings.steps) if jumps else settings.sampling_steps


def _check_network(family: Diffusion) -> None:
    settings, spec = family.settings, family.spec
    if settings.encoding != "sinusoidal":
        raise SettingsError(
            f"encoding {settings.encoding} is not diffusers': train with model.encoding=sinusoidal"
        )
    if settings.patch > 1:
        raise SettingsError("diffusers' network knows no patches: train with model.patch=1")
    halvings = len(settings.multipliers) - 1
    if spec.height % 2**halvings or spec.width % 2**halvings:
        raise SettingsError(
            f"diffusers cannot halve {spec.height}x{spec.width} pixels {halvings} times: train "
            "with fewer model.multipliers, or on pictures whose sides are multiples of "
            f"{2**halvings}"
        )


def _of_one_class(family: Diffusion, class_name: str | None) -> dict[str, Tensor]:
    """The network's weights with the class folded into the description of the noise level.

    The class is a vector added to what the second layer makes of the level: the same as another
    bias of that layer.
    """
    network, classes = family.denoiser, family.spec.classes
    if class_name is not None and class_name not in classes:
        if not classes:
            raise RunError(f"class {class_name!r} cannot be exported: the run learnt no classes")
        raise RunError(unknown_name("class", class_name, list(classes)))
    if class_name is None and classes and not family.settings.label_dropout:
        raise RunError(
            "this run knows no pictures without a class (model.label_dropout is 0): name one "
            "with --class"
        )
    plain = torch.contiguous_format  # all that a file can hold
    weights = {
        name: tensor.clone(memory_format=plain) for name, tensor in network.state_dict().items()
    }
    for ours_alone in ("jump_embedding", "told_embedding"):  # of no jump and no change, nothing
        weights.pop(f"{ours_alone}.weight", None)
    if network.class_embedding is not None:
        number = network.nothing if class_name is None else classes.index(class_name)
        weights["time_embedding.linear_2.bias"] += weights.pop("class_embedding.weight")[number]
    return weights


def _card(
    run: Run,
    family: Diffusion,
    pipeline: str,
    class_name: str | None,
    left_behind: Sequence[str],
) -> str:
    settings = family.settings
    of_class = "" if class_name is None else f", class {class_name}"
    arguments, remark = f"num_inference_steps={_steps(settings)}", ""
    if pipeline == "DDIMPipeline":
        arguments += ", use_clipped_model_output=True"
        remark = _REMARK.format(steps=settings.steps)
    return _CARD.format(
        name=run.info.get("name", run.folder.name),
        what=f"Pictures of {family.spec.height}x{family.spec.width}{of_class}",
        dataset=run.info["dataset"]["name"],
        version=__version__,
        pipeline=pipeline,
        arguments=arguments,
        remark=remark,
        left_behind="".join(f"\n{words[0].upper()}{words[1:]}.\n" for words in left_behind),
    )


def _about(run: Run, class_name: str | None) -> dict[str, Any]:
    served = run.served()
    return {
        "made_by": f"Maquette {__version__}",
        "class": class_name,
        "run": {
            "recipe": run.recipe.name,
            "family": run.recipe.family,
            "dataset": str(run.info["dataset"]["name"]),
            "step": served.entry.step,
            "served": served.why,
        },
    }


def _named(kind: str) -> dict[str, Any]:
    return {"_class_name": kind, "_diffusers_version": _DIFFUSERS}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()
