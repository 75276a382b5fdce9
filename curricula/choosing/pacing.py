"""How many groups to draw: once and expanded, or in refills until enough are valid."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from curricula.choosing.expansion import RatioAverage

Estimate = Callable[[], float]


class Pacing(Protocol):
    """Decides how many groups each draw of a step asks for."""

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Callable[[], float], valid: int, draws: int
    ) -> int:
        """Return how many groups to roll out now so that `wanted` valid ones result.

        `draws` of this step were made before, which gave `valid` valid groups; `expected_valid()`
        is the share of valid groups to expect of the next.
        """
        ...

    def observe(self, num_valid: int, num_known: int) -> None:
        """Take in more groups of the running step: how many are valid, of how many known ones.

        Known are the groups that our own failures do not leave open.
        """
        ...

    def end_step(self) -> None:
        """Close the running step: what is observed from now on belongs to the next."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return the numbers to log, by flat name."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        ...


class OneDraw:
    """One draw a step, expanded by the ratio average; by nothing when `expand` is False."""

    def __init__(self, average: RatioAverage, *, expand: bool) -> None:
        self._average = average
        self._expand = expand

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Callable[[], float], valid: int, draws: int
    ) -> int:
        """Return the expanded number at the first draw of a step, and 0 later."""
        if draws:
            return 0
        # Written so that 64 * 1.0 stays 64 whatever the last bit of the average.
        return math.ceil(wanted * self._expansion() - 1e-9)

    def _expansion(self) -> float:
        return self._average.value if self._expand else 1.0

    def observe(self, num_valid: int, num_known: int) -> None:
        """Add more groups of the running step to the average."""
        self._average.observe(num_valid, num_known)

    def end_step(self) -> None:
        """Close the running step: its ratio enters the average."""
        self._average.end_step()

    def metrics(self) -> dict[str, float]:
        """Return the expansion of the next draw, and how many steps had no valid group."""
        return {
            "expansion_ratio": self._expansion(),
            "steps_without_valid": float(self._average.steps_without_valid),
        }

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return self._average.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._average.restore(state)


class PredictedDraw:
    """One draw a step, expanded by what the running rates predict for this very draw."""

    def __init__(self, cap: float) -> None:
        self._cap = float(cap)
        self._ratio = 1.0

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """Return wanted / expected share of valid groups at the first draw of a step, 0 later."""
        if draws:
            return 0
        # What cannot expand need not be estimated, which takes a third of a step's time.
        if self._cap > 1:
            self._ratio = min(self._cap, 1 / max(expected_valid(), 1e-9))
        return math.ceil(wanted * self._ratio - 1e-9)

    def observe(self, num_valid: int, num_known: int) -> None:
        """Do nothing: the running rates of the history learn, and this predicts from them."""

    def end_step(self) -> None:
        """Do nothing: no step leaves anything behind."""

    def metrics(self) -> dict[str, float]:
        """Return the expansion of the last draw."""
        return {"expansion_ratio": self._ratio}

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"ratio": self._ratio}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._ratio = state["ratio"]


class Refill:
    """Draws the missing groups again and again, at most `max_draws` times a step."""

    def __init__(self, max_draws: int) -> None:
        self._max_draws = max_draws
        self._exhausted = 0
        self._drawn = self._wanted = 0

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """Return how many valid groups are still missing; 0 when no draw is left in this step."""
        missing = max(0, wanted - valid)
        if draws == self._max_draws and missing:
            self._exhausted += 1
        if draws >= self._max_draws:
            return 0
        self._drawn += missing
        self._wanted = wanted
        return missing

    def observe(self, num_valid: int, num_known: int) -> None:
        """Do nothing: the curriculum counts the valid groups of a step itself."""

    def end_step(self) -> None:
        """Close the running step: the next one has drawn nothing yet."""
        self._drawn = 0

    def metrics(self) -> dict[str, float]:
        """Return groups drawn over groups wanted, and how many steps ran out of draws."""
        ratio = self._drawn / self._wanted if self._wanted else 1.0
        return {"expansion_ratio": ratio, "refills_exhausted": float(self._exhausted)}

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"exhausted": self._exhausted, "drawn": self._drawn, "wanted": self._wanted}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._exhausted, self._drawn = state["exhausted"], state["drawn"]
        self._wanted = state["wanted"]
