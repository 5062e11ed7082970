"""The training loop: how any family learns.

The family says what to learn (whose loss, in which order); this file says how (seeds, gradients,
rates, averages, checkpoints, going back). Nothing here names a kind of model. Values are read from
the device in blocks, so watching every step costs no synchronisation at every step.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch

from maquette.core.devices import Engine
from maquette.core.errors import RunError, SettingsError, unknown_name
from maquette.core.family import Family, Update
from maquette.core.images import Batch, Scalar
from maquette.core.randomness import derived_seed, seed_everything
from maquette.training.average import Follower, averaged_twin
from maquette.training.clock import Clock
from maquette.training.guard import GRADIENT
from maquette.training.players import Player
from maquette.training.settings import TrainingSettings


@runtime_checkable
class BatchSource(Protocol):
    """What the loop needs of a dataset."""

    @property
    def epoch_pictures(self) -> int: ...

    def batch(self, step: int, size: int, seed: int, *, part: tuple[int, int]) -> Batch: ...


class Trainer:
    """One family learning from one dataset: `learn` takes a step, `state` says everything."""

    def __init__(
        self, family: Family, dataset: BatchSource, settings: TrainingSettings, engine: Engine
    ):
        self.settings, self.engine, self.dataset = settings, engine, dataset
        self._check_batch_is_divided()
        self.family = family.to(engine.device).train()
        self.family.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = averaged_twin(self.family)
        self.players = self._players()
        self.follower = Follower(
            self.average,
            self.family,
            settings.average_halflife_images,
            settings.average_rampup,
        )
        self.clock = Clock(settings, dataset.epoch_pictures)
        self.step, self.attempt = 0, 0
        self.progress = self.clock.progress(0)
        if settings.compile:
            for name in self.family.compilable():
                self.family.get_submodule(name).compile()

    def _players(self) -> dict[str, Player]:
        networks = self.family.players()
        for name in self.settings.players:
            if name not in networks:
                raise SettingsError(
                    "training.players: " + unknown_name("player", name, sorted(networks))
                )
        return {
            name: Player(network, self.settings.for_player(name), self.engine)
            for name, network in networks.items()
        }

    def _check_batch_is_divided(self) -> None:
        size, pieces = self.settings.batch_size, self.settings.micro_batches
        if size % (self.engine.processes * pieces):
            raise SettingsError(
                f"training.batch_size {size} cannot be divided evenly between "
                f"{self.engine.processes} processes of {pieces} micro_batches each: change one"
            )

    # Learning

    def learn(self) -> dict[str, Scalar]:
        """One step: every player takes its turns, then the average follows.

        Returns losses, notes and gradient norms by name, still on the device.
        """
        seed = self.seed
        seed_everything(seed, "step", self.step, self.engine.rank)
        values = self._take_turns(self._batch(seed))
        for name, player in self.players.items():
            for extra in range(1, player.settings.turns):
                self._take_turns(self._batch(derived_seed(seed, "turn", extra)), only=name)
        self.follower.follow(self.settings.batch_size, self.progress.images)
        self.step += 1
        self.advance_clock()
        return values

    @property
    def seed(self) -> int:
        """Data and noise follow from it; every attempt after a rollback has its own."""
        seed = self.settings.seed
        return derived_seed(seed, "attempt", self.attempt) if self.attempt else seed

    def advance_clock(self) -> None:
        """Note how far training has come; all processes agree on it."""
        progress = self.clock.progress(self.step)
        if self.clock.budget_seconds is not None:
            fraction = self.engine.largest(progress.fraction)
            progress = self.clock.progress_at(self.step, fraction)
        self.progress = progress

    def rates(self) -> dict[str, float]:
        """The learning rate of each player now; halved by every rollback."""
        share = 0.5**self.attempt
        return {name: share * player.rate(self.progress) for name, player in self.players.items()}

    def _batch(self, seed: int) -> Batch:
        part = (self.engine.rank, self.engine.processes)
        return self.dataset.batch(self.step, self.settings.batch_size, seed, part=part)

    def _take_turns(self, batch: Batch, only: str | None = None) -> dict[str, Scalar]:
        rates = self.rates()
        values: dict[str, Scalar] = {}
        for name, losses in self._turns(batch, only):
            norm = self.players[name].improve(rates[name])
            values |= {**losses, name + GRADIENT: norm}
        if steering := self.family.steering():
            self.engine.average_over_processes(steering)
        return values

    def _turns(self, batch: Batch, only: str | None) -> Iterator[tuple[str, dict[str, Scalar]]]:
        """Advance every micro-batch to the same turn and add up their gradients."""
        parts = self.settings.micro_batches
        stories = [
            self.family.training_step(batch.part(i, parts), self.progress) for i in range(parts)
        ]
        while updates := [u for u in map(self._next_update, stories) if u is not None]:
            player = updates[0].player
            if only not in (None, player):
                continue
            for update in updates:
                self.players[player].blame(update, parts)
            yield player, _means(updates)

    def _next_update(self, story: Iterator[Update]) -> Update | None:
        with self.engine.autocast():
            update = next(story, None)
        assert torch.is_grad_enabled(), "a family yielded inside a no_grad block"
        return update

    # State

    def tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """All tensors a resumed run needs; data order, noise and rates follow from the step."""
        optimizers = {
            f"{name}/{key}": tensor
            for name, player in self.players.items()
            for key, tensor in player.state().items()
        }
        return {
            "family": self.family.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": optimizers,
        }

    def restore(self, step: int, tensors: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Return to a state. Raises RunError when it belongs to other networks."""
        try:
            self.family.load_state_dict(tensors["family"])
            self.average.load_state_dict(tensors["average"])
        except RuntimeError as error:
            raise RunError(
                "the checkpoint belongs to other networks than the recipe describes: "
                "start a new run for a changed recipe"
            ) from error
        for name, player in self.players.items():
            prefix = f"{name}/"
            player.restore(
                {
                    key.removeprefix(prefix): tensor
                    for key, tensor in tensors["optimizers"].items()
                    if key.startswith(prefix)
                }
            )
        self.step = step
        self.advance_clock()


def _means(updates: Sequence[Update]) -> dict[str, Scalar]:
    """The loss under the player's name and each note under its own, averaged over micro-batches."""
    values = [{u.player: u.loss.detach(), **u.notes} for u in updates]
    return {name: torch.stack([v[name] for v in values]).mean().float() for name in values[0]}
