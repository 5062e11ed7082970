"""How likely held-out pictures are, were the model what its samples show."""

from collections.abc import Iterator

from maquette.core.family import Generates
from maquette.evaluation.bootstrap import DEVIATIONS
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.parzen import parzen_window

FEWEST = 4  # held-out pictures


class ParzenLikelihood(Metric[Evidence]):
    """As in Goodfellow et al. 2014, to compare with older papers; blind to much that eyes see."""

    name = "parzen"
    needs = Generates

    def measure(self, evidence: Evidence) -> Iterator[Measurement]:
        held_out = evidence.holdout.pixels
        if len(held_out) < FEWEST:
            return
        # Every second one, for their order may be by class.
        validation, test = held_out[::2], held_out[1::2]
        count = min(len(evidence.generated), len(evidence.train))
        made = parzen_window(evidence.generated.pixels[:count], validation, test)
        reach = DEVIATIONS * made.error
        wide = "; a better one may lie outside of the grid" if made.at_end_of_grid else ""
        yield Measurement(
            name="Parzen-window log-likelihood",
            value=made.value,
            low=made.value - reach,
            high=made.value + reach,
            count=count,
            floor=parzen_window(evidence.noise.pixels[:count], validation, test).value,
            ceiling=parzen_window(evidence.train.pixels[:count], validation, test).value,
            note=f"nats, of {made.count} held-out pictures, ± 1.96 standard errors; bandwidth "
            f"{made.sigma:.3g}, chosen on others{wide}; real: training pictures as samples",
            lower_is_better=False,
        )
