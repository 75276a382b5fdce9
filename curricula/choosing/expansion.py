"""How many groups to roll out so that enough of them are valid.

    ratio         = 1 / (1 - not_valid_rate)             of the last step, before selection
    expansion     = EMA(ratio)                           of this step

As published for RLCS (arXiv 2507.01006, section on reinforcement learning with curriculum
sampling). The average is over the ratio, not over the rate: for a rate alternating between .2 and
.8 with decay .5 it is 3.75 where the rate's average would say 2.50. Not published: the decay, the
cap, the value before anything was measured, and what a step without a valid group counts as (here:
as the cap).
"""

from typing import Any


class RatioAverage:
    """The published expansion. The first measured step sets the average; later ones move it."""

    def __init__(self, *, initial: float, decay: float, cap: float) -> None:
        self._decay = decay
        self._cap = float(cap)
        self._average = float(initial)
        self._measured = False
        self._valid = 0
        self._told = 0
        self.steps_without_valid = 0

    @property
    def value(self) -> float:
        """The average, the results of the running step included."""
        if not self._told:
            return self._average
        ratio = self._cap if not self._valid else min(self._cap, self._told / self._valid)
        if not self._measured:
            return ratio
        return self._decay * self._average + (1 - self._decay) * ratio

    def observe(self, num_valid: int, num_told: int) -> None:
        """More groups of the running step: how many are valid, of how many that can tell."""
        self._valid += num_valid
        self._told += num_told

    def end_step(self) -> None:
        """What was observed since the last call was one step."""
        if self._told:
            self.steps_without_valid += not self._valid
            self._average, self._measured = self.value, True
        self._valid = self._told = 0

    def state(self) -> dict[str, Any]:
        """For a saved state."""
        return {
            "average": self._average,
            "measured": self._measured,
            "valid": self._valid,
            "told": self._told,
            "steps_without_valid": self.steps_without_valid,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Undo `state`."""
        self._average, self._measured = state["average"], state["measured"]
        self._valid, self._told = state["valid"], state["told"]
        self.steps_without_valid = state["steps_without_valid"]
