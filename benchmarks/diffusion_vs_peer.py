"""Our diffusion recipe against denoising-diffusion-pytorch: same digits, minutes, cores, judge.

    GOMP_SPINCOUNT=1000 python benchmarks/diffusion_vs_peer.py --mnist FOLDER \
        --features squeezenet1_1@weights.safetensors --minutes 30 --out FOLDER

MNIST's training pictures at 32 px, by class; both learn from the same nine tenths, one after the
other. Then each makes as many pictures by the same guidance, and they are compared with the 10,000
test pictures: Fréchet distance and KID in these features (not FID), and how many are read as the
digit that was asked for. Everything made is kept in --out: the same command goes on where it
stopped, and a finished one only judges again. Parts can be named: data ours peer judge.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import peer_diffusion
from maquette.core.devices import hardware_name
from maquette.core.family import Generates
from maquette.core.pictures import grid, save_png
from maquette.core.randomness import shuffled
from maquette.data.dataset import open_dataset
from maquette.evaluation.frechet import frechet_distance
from maquette.evaluation.kid import kid
from maquette.evaluation.label_agreement import label_agreement, train_reader
from maquette.recipe import parse_recipe, to_yaml
from maquette.runs.asking import generated
from maquette.runs.folder import Run, open_run
from maquette.training.callback import Callback, Moment
from maquette.workflows.datasets import build_dataset
from maquette.workflows.feature_choice import open_features
from maquette.workflows.generating import seeds_of
from maquette.workflows.training import train

SIZE_PX, CLASSES, MANY_STEPS = 32, 10, 50
FIRST_SEED = 10_000  # that nobody has looked at before
BATCH = 50
KID_ASKED, FEW_ASKED, ONE_ASKED, AGREEMENT_ASKED = 1.0, 1.25, 1.5, 0.95
Real = tuple[Tensor, Tensor]  # uint8 pictures and their classes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[], help="data ours peer judge; all when none")
    parser.add_argument("--mnist", type=Path, required=True, help="folder of the idx files")
    parser.add_argument("--features", required=True, help="as `maquette evaluate --features`")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--recipe", default="diffusion")
    parser.add_argument("--set", nargs="*", default=[], help="settings of ours, a.b=c")
    parser.add_argument("--guidance", type=float, default=1.5, help="of both")
    parser.add_argument("--count", type=int, default=1000, help="pictures of each")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "data": data,
        "ours": ours,
        "peer": peer,
        "judge": judge,
    }
    for name in arguments.parts or parts:
        say(f"{name} …")
        parts[name](arguments)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


# Learning


def data(arguments: argparse.Namespace) -> None:
    for name, start in (("learnt", "train"), ("test", "t10k")):
        if not (arguments.out / name).exists():
            (images,) = arguments.mnist.glob(f"{start}-images*")
            build_dataset([images], arguments.out / name, SIZE_PX)


def ours(arguments: argparse.Namespace) -> None:
    """Previews, scores and checkpoints are paid out of the minutes; what is served is judged."""
    overrides = ["data.mirror=false", f"model.guidance={arguments.guidance}"]
    overrides += [f"training.hours={arguments.minutes / 60}", *arguments.set]
    result = train(
        arguments.recipe,
        arguments.out / "learnt",
        arguments.out / "ours",
        overrides=overrides,
        watchers=lambda _run, _trainer: [Telling()],
    )
    if result.outcome == "interrupted":  # it saved itself
        raise SystemExit("interrupted: the same command goes on")
    info = result.run.info
    say(f"ours: {info['step']:,} steps, {info['images']:,} pictures, {info['seconds']:.0f} s")


class Telling(Callback):
    """Says now and then how far ours has come."""

    every_steps = 100

    def __init__(self) -> None:
        self.told = time.monotonic()

    def after_step(self, moment: Moment) -> None:
        if time.monotonic() - self.told >= peer_diffusion.TELL_SECONDS:
            self.told = time.monotonic()
            done = moment.progress
            print(f"  ours: {done.fraction:4.0%}, step {done.step:,}", flush=True)


def peer(arguments: argparse.Namespace) -> None:
    """It learns from the pictures ours learns from, not from those ours is judged by meanwhile."""
    place = arguments.out / "peer"
    if not (place / "trained.json").exists():
        learnt = open_dataset(arguments.out / "learnt")
        pixels = learnt.pictures(torch.arange(len(learnt)))
        assert learnt.labels is not None
        peer_diffusion.train(pixels, learnt.labels, 60 * arguments.minutes, place)
    say(f"peer: {(place / 'trained.json').read_text()}")


# Judging


def judge(arguments: argparse.Namespace) -> None:
    """Makes what has not been made yet, measures all of it and compares."""
    labels = torch.arange(arguments.count) % CLASSES
    run, place = open_run(arguments.out / "ours"), arguments.out / "peer"
    bench = Bench(arguments, labels)
    pixels, classes = real(arguments.out / "learnt", "train")
    some = shuffled(len(pixels), "ceiling", 0)[: len(labels)]  # neighbours share their writer
    bench.measure("real ones (ceiling)", pixels[some], classes[some])
    for steps in (MANY_STEPS, 20, 8, 4, 2, 1):
        family = serving(run, steps, arguments.guidance)
        bench.judge(f"ours, {steps} steps", lambda f=family: made_by(f, labels))
    steps = (MANY_STEPS, arguments.guidance)
    bench.judge(
        f"peer, {MANY_STEPS} steps",
        lambda: peer_diffusion.sample(place, labels, SIZE_PX, *steps),
    )
    bench.results["trained"] = {
        "minutes": arguments.minutes,
        "threads": torch.get_num_threads(),
        "hardware": hardware_name(torch.device("cpu")),
        "guidance": arguments.guidance,
        "ours": {key: run.info[key] for key in ("step", "images", "seconds")},
        "peer": json.loads((place / "trained.json").read_text()),
    }
    bench.compare()


def real(folder: Path, *splits: str) -> Real:
    """Pictures and classes of these splits."""
    parts = [open_dataset(folder, split=split) for split in splits]
    pixels = torch.cat([part.pictures(torch.arange(len(part))) for part in parts])
    return pixels, torch.cat([part.labels for part in parts if part.labels is not None])


def serving(run: Run, steps: int, guidance: float) -> Generates:
    """What the run serves, making pictures in so many steps."""
    overrides = [f"model.sampling_steps={steps}", f"model.guidance={guidance}"]
    family = Run(run.folder, parse_recipe(to_yaml(run.recipe), overrides), run.info).served_family()
    assert isinstance(family, Generates)
    return family


def made_by(family: Generates, labels: Tensor) -> Tensor:
    def told(done: int, total: int) -> None:
        if done % 250 == 0:
            print(f"  ours: {done} of {total} pictures", flush=True)

    seeds = seeds_of(range(FIRST_SEED, FIRST_SEED + len(labels)))
    return generated(family, labels, seeds, BATCH, told)


class Bench:
    """Pictures made (kept, so that they are made once) and their distances to the real ones."""

    def __init__(self, arguments: argparse.Namespace, labels: Tensor):
        self.out, self.results_folder, self.labels = arguments.out, arguments.results, labels
        self.extractor = open_features(arguments.features)
        self.results: dict[str, dict] = {}
        pixels, classes = real(self.out / "test", "train", "holdout")
        self.reader = train_reader(pixels, classes)
        self.real = self.features(f"test-{len(pixels)}-{self.extractor.key}", pixels)

    def features(self, name: str, pixels: Tensor) -> Tensor:
        file = self.out / f"features-{name}.safetensors"
        if not file.exists():
            save_file({"features": self.extractor(pixels)}, file)
        return load_file(file)["features"]

    def judge(self, name: str, make: Callable[[], Tensor]) -> None:
        words = name.replace(", ", "-").replace(" ", "-")
        file = self.out / f"{words}-{len(self.labels)}.safetensors"
        if not file.exists():
            started = time.perf_counter()
            pixels = make()
            seconds = torch.tensor(time.perf_counter() - started, dtype=torch.float64)
            save_file({"pixels": pixels, "seconds": seconds}, file)
            save_png(grid(pixels[:100], CLASSES), self.out / f"{words}.png")
        kept = load_file(file)
        self.measure(name, kept["pixels"], self.labels, float(kept["seconds"]) / len(self.labels))

    def measure(
        self, name: str, pixels: Tensor, labels: Tensor, seconds: float | None = None
    ) -> None:
        features = self.extractor(pixels)
        distance, agreement = kid(self.real, features), label_agreement(self.reader, pixels, labels)
        found = {
            "frechet": frechet_distance(self.real.double(), features.double()),
            "kid": distance.value,
            "kid_low": distance.low,
            "kid_high": distance.high,
            "label_agreement": agreement.value,
            "label_agreement_ceiling": agreement.ceiling,
        }
        if seconds is not None:
            found["seconds_per_picture"] = seconds
        self.results[name] = {key: round(float(value), 4) for key, value in found.items()}
        pace = "" if seconds is None else f", {seconds:.3f} s a picture"
        say(
            f"{name:20} Fréchet {found['frechet']:8.1f}   KID {distance.value:7.2f} "
            f"({distance.low:.2f} to {distance.high:.2f})   read as asked {agreement.value:.1%}"
            f"{pace}   ({self.extractor.name}, n = {len(pixels)} against {len(self.real)})"
        )
        self.keep()

    def keep(self) -> None:
        self.results_folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.results, indent=2) + "\n"
        (self.results_folder / "diffusion_vs_peer.json").write_text(text)

    def compare(self) -> None:
        many, theirs = (self.results[f"{who}, {MANY_STEPS} steps"] for who in ("ours", "peer"))
        frechet = {steps: self.results[f"ours, {steps} steps"]["frechet"] for steps in (4, 1)}
        found = {
            "KID, ours over peer": (many["kid"] / theirs["kid"], KID_ASKED),
            "Fréchet, 4 steps over 50": (frechet[4] / many["frechet"], FEW_ASKED),
            "Fréchet, 1 step over 50": (frechet[1] / many["frechet"], ONE_ASKED),
        }
        for name, (ratio, asked) in found.items():
            say(f"{name}: {ratio:.2f}; asked for: below {asked}")
        say(f"read as asked: {many['label_agreement']:.1%}; asked for: {AGREEMENT_ASKED:.0%}")
        pace = theirs["seconds_per_picture"] / many["seconds_per_picture"]
        say(f"seconds a picture at {MANY_STEPS} steps: ours {pace:.1f} times as fast")
        self.results["compared"] = {name: round(ratio, 4) for name, (ratio, _) in found.items()}
        self.keep()


if __name__ == "__main__":
    main()
