"""denoising-diffusion-pytorch as its users would train it by class on small grey pictures.

Its class-conditional U-Net and diffusion (`classifier_free_guidance`), in the loop of its own
Trainer: Adam, gradients clipped at 1; float32, as by default. Weights are averaged at every step.
By its Trainer's default, every tenth, the average of a short training still holds much of its
beginning. The settings are those it was first measured with here: dim 32, multipliers 1, 2, 4, v,
1,000 steps, batch 16, rate 1e-3. Pictures go in and come out as uint8. torchvision, which only its
picture folders need, is not asked for.
"""

import json
import math
import sys
import time
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

BATCH, RATE, STEPS = 16, 1e-3, 1000
AVERAGE, AVERAGE_EVERY_STEPS = 0.995, 1
TELL_SECONDS = 60


def diffusion(classes: int, size_px: int, sampling_steps: int) -> nn.Module:
    """The peer, untrained."""
    for name in ("torchvision", "torchvision.transforms", "torchvision.utils"):
        sys.modules.setdefault(name, ModuleType(name))
    for part in ("transforms", "utils"):
        setattr(sys.modules["torchvision"], part, sys.modules[f"torchvision.{part}"])
    try:
        from denoising_diffusion_pytorch import classifier_free_guidance as package
    except ImportError as error:
        raise SystemExit(f"{error}: pip install denoising-diffusion-pytorch") from error
    package.tqdm = lambda steps, **_: steps  # no bar for every batch of pictures
    network = package.Unet(dim=32, num_classes=classes, dim_mults=(1, 2, 4), channels=1)
    return package.GaussianDiffusion(
        network,
        image_size=size_px,
        timesteps=STEPS,
        sampling_timesteps=sampling_steps,
        objective="pred_v",
    )


def train(pixels: Tensor, labels: Tensor, seconds: float, out: Path, seed: int = 0) -> None:
    """Learn for so long; the averaged weights and the number of steps are kept in `out`."""
    from ema_pytorch import EMA

    torch.manual_seed(seed)
    started, told, step, losses = time.monotonic(), 0.0, 0, []
    learnt = diffusion(int(labels.max()) + 1, pixels.shape[-1], 50)
    average = EMA(learnt, beta=AVERAGE, update_every=AVERAGE_EVERY_STEPS)
    optimizer = torch.optim.Adam(learnt.parameters(), RATE, betas=(0.9, 0.99))
    real = pixels.float() / 255
    while (passed := time.monotonic() - started) < seconds:
        rows = torch.randint(len(real), (BATCH,))
        loss = learnt(real[rows], classes=labels[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(learnt.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.update()
        step += 1
        losses.append(float(loss.detach()))
        if passed - told >= TELL_SECONDS:
            told = passed
            mean = sum(losses[-100:]) / len(losses[-100:])
            print(f"  peer: {passed / 60:5.1f} min, step {step:,}, loss {mean:.3f}", flush=True)
    if not math.isfinite(losses[-1]):
        print("  peer: its loss is not finite any more", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: t.contiguous() for name, t in average.ema_model.state_dict().items()}
    save_file(weights, out / "average.safetensors")
    told_of = {"steps": step, "pictures": step * BATCH, "seconds": time.monotonic() - started}
    (out / "trained.json").write_text(json.dumps(told_of, indent=2))


@torch.no_grad()
def sample(out: Path, labels: Tensor, size_px: int, sampling_steps: int, guidance: float) -> Tensor:
    """uint8 (B, 1, H, W) by its DDIM, 50 pictures at once."""
    weights = load_file(out / "average.safetensors")
    made = diffusion(len(weights["model.classes_emb.weight"]), size_px, sampling_steps)
    made.load_state_dict(weights)
    made.eval()
    torch.manual_seed(1)
    parts = []
    for number, part in enumerate(labels.split(50)):
        parts.append(made.sample(classes=part, cond_scale=guidance))
        print(f"  peer: {50 * number + len(part)} of {len(labels)} pictures", flush=True)
    return (torch.cat(parts) * 255).round().clamp(0, 255).to(torch.uint8)
