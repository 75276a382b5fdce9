"""How many groups to draw: once and expanded, or in refills until enough are valid."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from curricula.choosing.expansion import RatioAverage

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


class PredictedDraw:
    """One draw a step, expanded by what the running rates predict for this very draw."""

    def __init__(self, cap: float) -> None:
        self._cap = cap
        self._ratio = 1.0

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """Wanted over the expected share of valid groups at the first draw, none later."""
        if draws:
            return 0
        self._ratio = min(self._cap, 1 / max(expected_valid(), 1e-9))
        return math.ceil(wanted * self._ratio - 1e-9)

    def observe(self, num_valid: int, num_told: int) -> None:
        """Nothing to learn: the running rates learn."""

    def end_step(self) -> None:
        """Nothing to do."""

    def metrics(self) -> dict[str, float]:
        """`expansion_ratio` is that of the last draw."""
        return {"expansion_ratio": self._ratio}

    def state(self) -> dict[str, Any]:
        """See Pacing."""
        return {"ratio": self._ratio}

    def restore(self, state: dict[str, Any]) -> None:
        """See Pacing."""
        self._ratio = state["ratio"]


class Refill:
    """What is missing, again and again, at most `max_draws` times a step."""

    def __init__(self, max_draws: int) -> None:
        self._max_draws = max_draws
        self._exhausted = 0
        self._drawn = self._wanted = 0

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """The valid groups still missing; none when the bound is reached."""
        missing = max(0, wanted - valid)
        if draws == self._max_draws and missing:
            self._exhausted += 1
        if draws >= self._max_draws:
            return 0
        self._drawn += missing
        self._wanted = wanted
        return missing

    def observe(self, num_valid: int, num_told: int) -> None:
        """Nothing to learn: the valid groups of the step are counted by the curriculum."""

    def end_step(self) -> None:
        """See Pacing."""
        self._drawn = 0

    def metrics(self) -> dict[str, float]:
        """`expansion_ratio` is groups drawn over groups wanted, so far in this step."""
        ratio = self._drawn / self._wanted if self._wanted else 1.0
        return {"expansion_ratio": ratio, "refills_exhausted": float(self._exhausted)}

    def state(self) -> dict[str, Any]:
        """See Pacing."""
        return {"exhausted": self._exhausted, "drawn": self._drawn, "wanted": self._wanted}

    def restore(self, state: dict[str, Any]) -> None:
        """See Pacing."""
        self._exhausted, self._drawn = state["exhausted"], state["drawn"]
        self._wanted = state["wanted"]
