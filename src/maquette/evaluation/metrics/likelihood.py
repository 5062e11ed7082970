"""How likely held-out pictures are, were the model what its samples show.

The protocol of older papers: 10,000 pictures made, a test set, the bandwidth by validation, so
`evaluate RUN --data TEST -n 10000 --metrics parzen`.
"""

from collections.abc import Iterator

from maquette.core.family import Generates
from maquette.evaluation.bootstrap import DEVIATIONS
from maquette.evaluation.evidence import Evidence
from maquette.evaluation.metric import Measurement, Metric
from maquette.evaluation.parzen import SIGMAS, ParzenEstimate, parzen_window

FEWEST = 4  # held-out pictures
_DOUBLE = 3  # steps of the grid, each 10^0.1 times as wide


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
        made = parzen_window(evidence.generated.pixels, validation, test)
        count = len(evidence.generated)
        real = evidence.train.pixels[:count]
        reach = DEVIATIONS * made.error
        wide = "; a better one may lie outside of the grid" if made.at_end_of_grid else ""
        yield Measurement(
            name="Parzen-window log-likelihood",
            value=made.value,
            low=made.value - reach,
            high=made.value + reach,
            count=count,
            floor=parzen_window(evidence.noise.pixels, validation, test).value,
            ceiling=parzen_window(real, validation, test).value,
            note=f"nats, of {made.count:,} held-out pictures, ± 1.96 standard errors; bandwidth "
            f"{made.sigma:.3g}, chosen on others{wide}{_moved(made)}; "
            f"real: {len(real):,} training pictures as samples",
            lower_is_better=False,
        )


def _moved(made: ParzenEstimate) -> str:
    """What other bandwidths would have given the pictures that it was chosen on."""
    curve, best = made.validation, SIGMAS.index(made.sigma)
    near = {"half of it": best - _DOUBLE, "twice": best + _DOUBLE}
    told = [f"{curve[at]:,.0f} at {words}" for words, at in near.items() if 0 <= at < len(curve)]
    return f" ({curve[best]:,.0f} for them; {', '.join(told)})"
