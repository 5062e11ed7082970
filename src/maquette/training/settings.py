"""How long, how fast and how carefully to train: the `training` part of a recipe."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from maquette.core.devices import Precision
from maquette.core.settings import Settings
from maquette.training.schedules import Constant, Phases, Schedule

Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerSettings(Settings):
    """How one player improves."""

    kind: Literal["adam", "adamw", "rmsprop", "sgd", "muon"] = "adam"
    """Which optimizer; muon takes the weights of layers, and AdamW what else there is."""
    learning_rate: float = Field(default=2e-4, gt=0, le=10)
    """Base learning rate; `phases` and `table` schedules replace it."""
    betas: tuple[Decay, Decay] = (0.0, 0.99)
    """Decay rates of Adam's first and second moment."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Momentum of SGD, RMSprop and Muon (0.95 is usual there)."""
    decay: float = Field(default=0.9, gt=0, lt=1)
    """Decay rate of RMSprop's squared gradients."""
    epsilon: PositiveFloat = 1e-8
    """Added to the denominator of adaptive optimizers."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Weight decay per step at learning rate 1."""
    clip: PositiveFloat | None = None
    """Largest gradient norm; longer gradients are scaled down to it."""
    turns: int = Field(default=1, ge=1, le=8)
    """Turns this player takes in one step; each beyond the first sees a batch of its own."""
    schedule: Schedule = Constant()
    """How the rate follows progress."""

    @model_validator(mode="after")
    def _muon_has_momentum(self) -> "OptimizerSettings":
        if self.kind == "muon" and not self.momentum:
            raise ValueError(
                "muon without momentum makes the noise of single batches orthogonal: set momentum "
                "to 0.95"
            )
        return self


class GuardSettings(Settings):
    """When training is judged to have gone wrong. Defaults are measured, see docs/notebook.md."""

    enabled: bool = True
    """Watch losses, gradients and rates, and go back when they explode."""
    spike_factor: float = Field(default=3.0, gt=1)
    """A loss above this many times its running median (and 8 robust deviations) is a spike;
    with several players, above as many times the median it had at first or not long ago, too."""
    patience_steps: PositiveInt = 10
    """Spikes in a row that make an alarm."""
    window_steps: int = Field(default=200, ge=20)
    """Accepted losses the running median looks back on."""
    least_steps: PositiveInt = 100
    """Losses to have seen before a spike can be told."""
    quiet_steps: PositiveInt = 200
    """Steps without alarm after a checkpoint that certify it as good."""
    attempts: int = Field(default=3, ge=0)
    """How often to go back before giving up; each time with half the rate and other data order."""

    @model_validator(mode="after")
    def _enough_is_looked_back_on(self) -> "GuardSettings":
        if self.window_steps < self.least_steps:
            raise ValueError(
                f"window_steps {self.window_steps} never holds the least_steps {self.least_steps} "
                "that it takes to tell a spike: raise window_steps or lower least_steps"
            )
        return self


class TrainingSettings(Settings):
    """How any family learns."""

    steps: PositiveInt | None = None
    """Length of training in steps. Give this, `epochs`, `hours` or a `phases` schedule."""
    epochs: PositiveFloat | None = None
    """Length of training in passes over the dataset; of two domains, over the smaller one."""
    hours: PositiveFloat | None = None
    """Time budget: schedules stretch over it, training ends inside it, whatever the steps say."""
    batch_size: int = Field(default=32, ge=1, le=65536)
    """Images a step, over all processes."""
    micro_batches: PositiveInt = 1
    """Pieces each process splits its share of the batch into, to fit in memory."""
    seed: int = Field(default=0, ge=0)
    """Everything random follows from it."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps or tpu."""
    precision: Precision = "auto"
    """auto takes bf16 where the hardware multiplies in it, fp32 elsewhere."""
    compile: bool = False
    """Compile the networks: minutes at the start, faster steps afterwards."""
    average_halflife_images: PositiveFloat = 10_000
    """Half-life of the weight average that is shown, judged and served (EMA)."""
    average_rampup: float = Field(default=0.05, gt=0, le=1)
    """The half-life is at most this share of the images seen, so early averages are not stale."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """How players improve."""
    players: dict[str, OptimizerSettings] = Field(default_factory=dict)
    """Exceptions by player: only what differs from `optimizer` need be given."""
    guard: GuardSettings = GuardSettings()
    """When to go back to an earlier checkpoint."""

    @model_validator(mode="before")
    @classmethod
    def _players_differ_from_the_optimizer(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("players"), dict):
            return raw
        common = raw.get("optimizer", {})
        if isinstance(common, OptimizerSettings):
            common = common.model_dump()
        players = {
            name: {**common, **own} if isinstance(own, dict) else own
            for name, own in raw["players"].items()
        }
        return {**raw, "players": players}

    @model_validator(mode="after")
    def _parts_are_equal(self) -> "TrainingSettings":
        if self.batch_size % self.micro_batches:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be split into "
                f"{self.micro_batches} equal micro_batches"
            )
        return self

    @model_validator(mode="after")
    def _length_is_known(self) -> "TrainingSettings":
        if sum(given is not None for given in (self.steps, self.epochs)) > 1:
            raise ValueError(
                "give steps or epochs, not both: set the one that the recipe gives to null, as in "
                "training.epochs=null"
            )
        if self.gives_length or self.hours:
            return self
        raise ValueError("say how long: steps, epochs, hours or a phases schedule")

    @property
    def gives_length(self) -> bool:
        """Whether the length in steps follows from the settings, with or without a time budget."""
        planned = isinstance(self.optimizer.schedule, Phases)
        return self.steps is not None or self.epochs is not None or planned

    def for_player(self, name: str) -> OptimizerSettings:
        return self.players.get(name, self.optimizer)

    def planned_steps(self, pictures: int) -> int:
        """Steps the whole training takes on a dataset of so many pictures."""
        if self.steps is not None:
            return self.steps
        epochs = self.epochs
        if epochs is None and isinstance(self.optimizer.schedule, Phases):
            epochs = self.optimizer.schedule.total_epochs
        if epochs is None:
            return 1_000_000_000  # hours alone: the clock ends it
        return max(1, round(epochs * pictures / self.batch_size))
