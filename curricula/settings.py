"""The settings of each kind of curriculum: flat, typed, checked on construction."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from curricula.errors import SettingsError
from curricula.tiers import check_tiers


@dataclass(frozen=True, kw_only=True, slots=True)
class CommonSettings:
    """What every kind has, because every kind keeps the pass-rate history.

    tiers: names from the easiest to the hardest.
    boundaries: the pass rates between the tiers, falling. The defaults lie just outside n/8, so
        that with groups of 8 one pass more or less decides.
    discount: per step, how much a problem's earlier attempts count against new ones.
    rate_discount: the same for the running rates of categories; lower than `discount`, because
        they are fed at every step.
    prior_strength: attempts that the prior of a problem weighs.
    """

    tiers: tuple[str, ...] = ("very_easy", "easy", "medium", "hard", "very_hard")
    boundaries: tuple[float, ...] = (0.88, 0.62, 0.38, 0.12)
    discount: float = 0.97
    rate_discount: float = 0.9
    prior_strength: float = 1.0

    def __post_init__(self) -> None:
        check_tiers(self.tiers, self.boundaries)
        _within(self, "discount", 0, 1)
        _within(self, "rate_discount", 0, 1)
        _within(self, "prior_strength", 1e-3, 1e3)


@dataclass(frozen=True, kw_only=True, slots=True)
class UniformSettings(CommonSettings):
    """Shuffled epochs, every problem once in each; no expansion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RlcsSettings(CommonSettings):
    """Curriculum sampling by tiers.

    tier_weights: how much a problem of each tier is wanted, at tier centres, linear in between.
    sharpness: a bucket's weight is its tier weight times (chance of a valid group) ^ sharpness.
    exploration: share of the draws that goes evenly to all problems not retired.
    min_gap: a problem drawn at step s is not drawn again before step s + 1 + min_gap.
    retire_evidence: (aged) attempts a problem needs to be retired as solved or hopeless.
    retest_after: steps after which a retired problem is tried again, on average.
    retest_share: most of the draws that re-tests may take.
    initial_expansion: expansion ratio before the first measurement.
    expansion_decay: weight of the old average in the ratio's moving average.
    expansion_cap: largest ratio, and the ratio of a step without any valid group.
    """

    tier_weights: tuple[float, ...] = (0.3, 0.8, 1.0, 0.8, 0.3)
    sharpness: float = 2.0
    exploration: float = 0.1
    min_gap: int = 2
    retire_evidence: float = 12.0
    retest_after: int = 50
    retest_share: float = 0.05
    initial_expansion: float = 2.0
    expansion_decay: float = 0.7
    expansion_cap: float = 4.0

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        if len(self.tier_weights) != len(self.tiers):
            raise SettingsError(
                f"expected {len(self.tiers)} tier_weights, one a tier, found "
                f"{len(self.tier_weights)}"
            )
        if min(self.tier_weights) < 0 or max(self.tier_weights) <= 0:
            raise SettingsError(
                f"expected tier_weights of at least 0, one of them above, found {self.tier_weights}"
            )
        _within(self, "sharpness", 0, 20)
        _within(self, "exploration", 0, 1)
        _within(self, "min_gap", 0, 10**6)
        _within(self, "retire_evidence", 1, 1e6)
        _within(self, "retest_after", 1, 10**9)
        _within(self, "retest_share", 0, 1)
        _within(self, "initial_expansion", 1, 1e3)
        _within(self, "expansion_decay", 0, 1)
        _within(self, "expansion_cap", 1, 1e3)


SETTINGS: Mapping[str, type[CommonSettings]] = {
    "rlcs": RlcsSettings,
    "uniform": UniformSettings,
}
"""The settings of each kind `make_curriculum` knows."""

Kind = Literal["rlcs", "uniform"]


def make_settings(kind: str, given: Mapping[str, object]) -> CommonSettings:
    """The checked settings of a kind; SettingsError lists the known kinds or settings."""
    if kind not in SETTINGS:
        raise SettingsError(
            f"expected a kind of curriculum out of {', '.join(SETTINGS)}, found {kind!r}"
        )
    known = [field.name for field in fields(SETTINGS[kind])]
    if foreign := sorted(set(given) - set(known)):
        raise SettingsError(
            f"expected settings of {kind!r} out of {', '.join(known)}, found {', '.join(foreign)}"
        )
    return SETTINGS[kind](**given)  # type: ignore[arg-type]


def _within(settings: CommonSettings, name: str, low: float, high: float) -> None:
    value = getattr(settings, name)
    # Written so that NaN fails too.
    if not (isinstance(value, int | float) and low <= value <= high):
        raise SettingsError(f"expected {name} between {low:g} and {high:g}, found {value!r}")
