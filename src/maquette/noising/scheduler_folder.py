"""A noise schedule as diffusers keeps it: the scheduler_config.json of a pipeline's folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from maquette.core.errors import SettingsError
from maquette.noising.schedules import Levels, Steps, cosine_betas, linear_betas
from maquette.noising.settings import NUMBERED, NoiseSettings, noise_schedule
from maquette.noising.targets import TargetName

PLACE = Path("scheduler", "scheduler_config.json")
PREDICTIONS: Mapping[TargetName, str] = {"epsilon": "epsilon", "v": "v_prediction", "x0": "sample"}
_SAME = 1e-3  # largest difference of the signal left at a step


def scheduler_config(settings: NoiseSettings) -> dict[str, Any]:
    """The arguments of the `DDPMScheduler` that takes noise off as we do.

    The betas are spelt out, and steps are counted from the noisy end (Lin et al. 2024, "trailing").
    SettingsError for schedules and targets that diffusers' DDPM and DDIM do not have.
    """
    schedule = noise_schedule(settings)
    if not isinstance(schedule, Steps) or settings.target not in PREDICTIONS:
        raise SettingsError(
            f"schedule {settings.schedule} with target {settings.target} is unknown to diffusers' "
            "DDPMPipeline and DDIMPipeline: train with model.schedule=cosine and model.target=v "
            f"(or another of {', '.join(NUMBERED)} and of {', '.join(PREDICTIONS)}), on pixels "
            "(model.patch=1)"
        )
    return {
        "num_train_timesteps": settings.steps,
        "trained_betas": schedule.betas.tolist(),
        "prediction_type": PREDICTIONS[settings.target],
        "timestep_spacing": "trailing",
        "clip_sample": True,
        "clip_sample_range": 1.0,
        "variance_type": "fixed_small",
    }


def check_scheduler(folder: Path, settings: NoiseSettings) -> None:
    """SettingsError when the network in a pipeline's folder learnt from other noise than these
    settings add; a folder without a scheduler tells nothing and is believed."""
    try:
        found = json.loads((folder / PLACE).read_text(encoding="utf-8"))
        steps, asked = int(found["num_train_timesteps"]), str(found["prediction_type"])
        theirs = _signal_left(found, steps)
    except FileNotFoundError:
        return
    except SettingsError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"model.start_from: {folder / PLACE} describes no scheduler") from error
    target = next((name for name, theirs in PREDICTIONS.items() if theirs == asked), None)
    if target is None:
        raise SettingsError(f"model.start_from: the network in {folder} predicts {asked}, unknown")
    if (settings.target, settings.steps) != (target, steps) or settings.schedule not in NUMBERED:
        raise SettingsError(
            f"model.start_from: the network in {folder} learnt otherwise, set that too: --set "
            f"model.target={target} --set model.steps={steps} and one of the schedules "
            f"{', '.join(NUMBERED)}"
        )
    ours = noise_schedule(settings)
    assert isinstance(ours, Steps)
    if float((theirs - ours.signal_left).abs().max()) > _SAME:
        raise SettingsError(
            f"model.start_from: the network in {folder} learnt from other noise than schedule "
            f"{settings.schedule} adds: set model.schedule, model.beta_min and model.beta_max to "
            f"what {PLACE} says"
        )


def _signal_left(found: Mapping[str, Any], steps: int) -> Levels:
    """SettingsError for kinds of betas that no schedule of ours has."""
    kind = str(found.get("beta_schedule", "linear"))
    if found.get("rescale_betas_zero_snr"):
        kind = f"{kind}, rescaled to end without signal"
    elif found.get("trained_betas") is not None:
        return Steps(torch.tensor(found["trained_betas"], dtype=torch.float64)).signal_left
    elif kind == "linear":
        betas = linear_betas(steps, float(found["beta_start"]), float(found["beta_end"]))
        return Steps(betas).signal_left
    elif kind == "squaredcos_cap_v2":
        return Steps(cosine_betas(steps)).signal_left
    raise SettingsError(
        f"model.start_from: its network learnt from noise of the kind {kind}, which no "
        "model.schedule adds: begin with another folder"
    )
