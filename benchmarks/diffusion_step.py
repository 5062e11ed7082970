"""Our diffusion training and sampling against diffusers' own, with the same U-Net in the same run.

    GOMP_SPINCOUNT=1000 python benchmarks/diffusion_step.py train sample
        [--size 32] [--batch 32] [--device cuda] [--set model.width=64] [--out benchmarks/results]

`train`: a step of our loop (noise, weight average and all) against the loop of diffusers'
examples/unconditional_image_generation: `UNet2DModel`, `DDPMScheduler`, AdamW, clipped gradients,
float32, eager, no weight average; its pictures lie ready, ours come from a dataset. Ours improves
as the recipe says, by Muon, whose own step takes longer, and also by AdamW as theirs. `sample`: our
generator against `DDIMPipeline` with the same weights, schedule, steps and batch. They take turns,
so that a drift of the machine cancels.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMScheduler, UNet2DModel
from torch import Tensor
from torch.nn import functional as F

from cyclegan_step import keep, seconds
from maquette.core.devices import Engine, start_engine
from maquette.core.images import ImageSpec
from maquette.core.randomness import picture_seeds, seed_everything
from maquette.data.dataset import ImageDataset
from maquette.families.diffusion import Diffusion
from maquette.networks.unet_folder import diffusers_config
from maquette.noising.scheduler_folder import scheduler_config
from maquette.recipe import read_recipe
from maquette.training.trainer import Trainer
from maquette.workflows.generating import in_batches

ASKED = {"cpu": (1.5, 1.5), "cuda": (2.0, 1.5)}  # of training and sampling
PICTURES = 256
SCHEDULE = (
    *("model.schedule=linear", "model.target=epsilon", "model.sampler=ddim"),
    "model.jumping_share=0",  # diffusers' network knows no jumps
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=["train", "sample"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=32, help="px")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10, help="of sampling")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--set", nargs="*", default=[], help="settings of both, a.b=c")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    engine = start_engine(arguments.device)
    for part in arguments.parts:
        found = {"train": training, "sample": sampling}[part](engine, arguments)
        fingerprint = engine.fingerprint()
        about = {key: fingerprint[key] for key in ("torch", "hardware", "threads")}
        about |= {"size_px": arguments.size, "batch": arguments.batch, "settings": arguments.set}
        keep(arguments.out / "diffusion_step.json", part, about | found)


def trainer(engine: Engine, arguments: argparse.Namespace, precision: str, *more: str) -> Trainer:
    """Our loop on made-up pictures without classes."""
    plan = ["training.steps=1000000", f"training.batch_size={arguments.batch}", "model.patch=1"]
    recipe = read_recipe("diffusion", [*plan, *more, *arguments.set])
    seed_everything(0, "weights")
    spec = ImageSpec(3, arguments.size, arguments.size)
    pictures = ImageDataset(torch.randint(0, 256, (PICTURES, *spec.shape)).to(torch.uint8), spec)
    family, engine = Diffusion(recipe.model, spec), Engine(engine.device, precision)
    return Trainer(family, pictures.on(engine.device), recipe.training, engine)


# Training


class TheirLoop:
    """train_unconditional.py, what happens in a step."""

    def __init__(self, ours: Trainer, device: torch.device):
        self.model = UNet2DModel(**diffusers_config(ours.family.spec, ours.family.settings))
        self.model.to(device).train()
        self.scheduler = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear")
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-4, betas=(0.95, 0.999), weight_decay=1e-6, eps=1e-8
        )
        self.images = ours.dataset.batch(0, ours.settings.batch_size, 0).images.contiguous()

    def step(self) -> Tensor:
        noise = torch.randn_like(self.images)
        times = torch.randint(0, 1000, (len(noise),), device=noise.device)
        noisy = self.scheduler.add_noise(self.images, noise, times)
        loss = F.mse_loss(self.model(noisy, times).sample, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


def training(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    ours = {name: trainer(engine, arguments, name) for name in ("fp32", "bf16")}
    ours["bf16 AdamW"] = trainer(engine, arguments, "bf16", "training.optimizer.kind=adamw")
    sides: dict[str, Callable[[], object]] = {name: one.learn for name, one in ours.items()}
    sides["diffusers"] = TheirLoop(ours["fp32"], engine.device).step
    return compared(engine, arguments, sides, ASKED[engine.device.type][0])


# Sampling


def sampling(engine: Engine, arguments: argparse.Namespace) -> dict[str, object]:
    """Ours as `maquette generate` makes them; theirs as the pipeline does, pictures as uint8."""
    more = (*SCHEDULE, f"model.sampling_steps={arguments.steps}")
    family = trainer(engine, arguments, "fp32", *more).average
    for parameter in family.parameters():  # an untrained network answers zero
        if not parameter.any():
            torch.nn.init.normal_(parameter, 0, 0.02)
    model = UNet2DModel(**diffusers_config(family.spec, family.settings)).to(engine.device).eval()
    model.load_state_dict(family.denoiser.state_dict())
    scheduler = DDIMScheduler.from_config(scheduler_config(family.settings))
    pipeline = DDIMPipeline(model, scheduler)
    pipeline.set_progress_bar_config(disable=True)
    numbers = list(range(arguments.batch))

    def ours() -> Tensor:
        return in_batches(family.generate, None, numbers, engine.device, lambda _done, _of: None)

    def theirs() -> object:
        return pipeline(
            batch_size=arguments.batch,
            num_inference_steps=arguments.steps,
            use_clipped_model_output=True,
            output_type="np",
        ).images

    assert family.generate(None, picture_seeds(2, "a")).std() > 0.01
    found = compared(
        engine, arguments, {"ours": ours, "diffusers": theirs}, ASKED[engine.device.type][1]
    )
    return {"steps": arguments.steps} | found


def compared(
    engine: Engine,
    arguments: argparse.Namespace,
    sides: dict[str, Callable[[], object]],
    asked: float,
) -> dict[str, object]:
    """Pictures a second, and how many times as many as diffusers in the turn beside."""
    for step in sides.values():
        step()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(arguments.rounds):
        for name in list(sides) if number % 2 else reversed(sides):
            times[name].append(seconds(sides[name], engine))
    found: dict[str, object] = {"rounds": arguments.rounds}
    for clock, unit in enumerate(("wall", "processor")):
        taken = {name: [pair[clock] for pair in pairs] for name, pairs in times.items()}
        middle = {name: statistics.median(each) for name, each in taken.items()}
        ratios = {
            name: statistics.median(t / o for t, o in zip(taken["diffusers"], each, strict=True))
            for name, each in taken.items()
        }
        for name, ratio in ratios.items():
            pace = arguments.batch / middle[name]
            print(f"{name:10} {pace:8.2f} pictures a second ({unit} time), {ratio:.2f} x diffusers")
        found[f"{unit}_pictures_a_second"] = {
            name: round(arguments.batch / value, 3) for name, value in middle.items()
        }
        found[f"{unit}_times_as_fast"] = {name: round(value, 3) for name, value in ratios.items()}
    print(f"median of {arguments.rounds} turns; asked for: {asked}", flush=True)
    return found


if __name__ == "__main__":
    main()
