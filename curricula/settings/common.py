"""The settings that every kind has, and those of the kinds that weigh nothing by results."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from curricula.errors import SettingsError
from curricula.strict import Setting, check_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class CommonSettings:
    """What every kind can be given, because every kind keeps the history of pass rates."""

    tiers: Annotated[
        tuple[str, ...],
        Setting(description="The names of the difficulty tiers, from the easiest to the hardest."),
    ] = ("very_easy", "easy", "medium", "hard", "very_hard")
    boundaries: Annotated[
        tuple[float, ...],
        Setting(
            description="The pass rates between the tiers, falling. The default values lie just "
            "outside n/8, so that with groups of 8 one pass more or less decides.",
            gt=0,
            lt=1,
        ),
    ] = (0.88, 0.62, 0.38, 0.12)
    discount: Annotated[
        float,
        Setting(
            description="What the earlier attempts at a problem still count after each step, "
            "compared with new ones.",
            ge=0,
            le=1,
        ),
    ] = 0.97
    rate_discount: Annotated[
        float,
        Setting(
            description="What earlier groups still count after each step in the running rates of "
            "categories. It is lower than discount, because these rates get new groups at every "
            "step.",
            ge=0,
            le=1,
        ),
    ] = 0.9
    prior_strength: Annotated[
        float,
        Setting(
            description="How many attempts the prior of a problem's pass rate weighs.",
            ge=1e-3,
            le=1e3,
        ),
    ] = 1.0

    def __post_init__(self) -> None:
        check_settings(self)
        check_tiers(self.tiers, self.boundaries)


@dataclass(frozen=True, kw_only=True, slots=True)
class UniformSettings(CommonSettings):
    """Shuffled epochs, every problem once in each; no expansion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DapoSettings(CommonSettings):
    """Shuffled epochs, refilled until the batch is full of valid groups (arXiv 2503.14476)."""

    max_draws: Annotated[
        int,
        Setting(
            description="The largest number of draws in one step, the first one included. Each "
            "draw asks for exactly the groups that are missing. After the last one the step goes "
            "on with what it has, and the metric refills_exhausted counts it.",
            ge=1,
            le=10**6,
        ),
    ] = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticSettings(CommonSettings):
    """Easy to hard by offline difficulty alone: a growing share of the problems, easiest first.

    The share after t of T steps is min(1, sqrt(t / T (1 - c^2) + c^2)), the square-root pacing of
    competence-based curricula (arXiv 1903.09848), with T the pacing steps and c the start share.
    An ungraded problem counts as the mean of its category.
    """

    pacing_steps: Annotated[
        int,
        Setting(
            description="The number of steps until every problem can be drawn.", ge=1, le=10**9
        ),
    ] = 100
    start_share: Annotated[
        float,
        Setting(
            description="The share of the problems that can be drawn at the start.", ge=1e-6, le=1
        ),
    ] = 0.2


def check_tiers(names: Sequence[str], boundaries: Sequence[float]) -> None:
    """SettingsError unless these make tiers."""
    if not 2 <= len(names) <= 20 or len(set(names)) != len(names):
        raise SettingsError(f"expected 2 to 20 different tier names, found {list(names)}")
    if len(boundaries) != len(names) - 1:
        raise SettingsError(
            f"expected {len(names) - 1} boundaries between {len(names)} tiers, "
            f"found {len(boundaries)}: {list(boundaries)}"
        )
    edges = [1.0, *boundaries, 0.0]
    if not all(easier > harder for easier, harder in pairwise(edges)):
        raise SettingsError(
            "expected boundaries as pass rates falling from the easiest tier to the hardest, "
            f"inside (0, 1), found {list(boundaries)}"
        )
