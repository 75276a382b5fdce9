"""How many groups to draw: once and expanded, or in refills until enough are valid."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from curricula.expansion import RatioAverage

Estimate = Callable[[], float]


class Pacing(Protocol):
    """Decides the size of each draw of a step."""

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Callable[[], float], valid: int, draws: int
    ) -> int:
        """Groups to roll out now so that `wanted` valid ones result.

        `draws` of this step were made before, which gave `valid` valid groups; `expected_valid()`
        is the share of valid groups to expect of the next.
        """
        ...

    def observe(self, num_valid: int, num_told: int) -> None:
        """More groups of the running step: valid ones, of how many that can tell."""
        ...

    def end_step(self) -> None:
        """The step is over."""
        ...

    def metrics(self) -> dict[str, float]:
        """What to log."""
        ...

    def state(self) -> dict[str, Any]:
        """For a saved state."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Undo `state`."""
        ...


class OneDraw:
    """One draw a step, expanded by the ratio average; by nothing when `expand` is False."""

    def __init__(self, average: RatioAverage, *, expand: bool) -> None:
        self._average = average
        self._expand = expand

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Callable[[], float], valid: int, draws: int
    ) -> int:
        """The expanded number at the first draw, none later."""
        if draws:
            return 0
        # Written so that 64 * 1.0 stays 64 whatever the last bit of the average.
        return math.ceil(wanted * self._expansion() - 1e-9)

    def _expansion(self) -> float:
        return self._average.value if self._expand else 1.0

    def observe(self, num_valid: int, num_told: int) -> None:
        """See Pacing."""
        self._average.observe(num_valid, num_told)

    def end_step(self) -> None:
        """See Pacing."""
        self._average.end_step()

    def metrics(self) -> dict[str, float]:
        """See Pacing."""
        return {
            "expansion_ratio": self._expansion(),
            "steps_without_valid": float(self._average.steps_without_valid),
        }

    def state(self) -> dict[str, Any]:
        """See Pacing."""
        return self._average.state()

    def restore(self, state: dict[str, Any]) -> None:
        """See Pacing."""
        self._average.restore(state)
