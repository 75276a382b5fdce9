"""The settings of each kind of curriculum: flat, typed, checked on construction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Literal

from curricula.errors import SettingsError


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
        _within(self, discount=(0, 1), rate_discount=(0, 1), prior_strength=(1e-3, 1e3))


@dataclass(frozen=True, kw_only=True, slots=True)
class UniformSettings(CommonSettings):
    """Shuffled epochs, every problem once in each; no expansion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DapoSettings(CommonSettings):
    """Shuffled epochs, refilled until the batch is full of valid groups (arXiv 2503.14476).

    max_draws: draws in one step, the first included; then the step goes on with what it has and
        the metric `refills_exhausted` counts it. Each draw asks for exactly what is missing.
    """

    max_draws: int = 16

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        _within(self, max_draws=(1, 10**6))


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticSettings(CommonSettings):
    """Easy to hard by offline difficulty alone: a growing share of the problems, easiest first.

    The share after t of T steps is min(1, sqrt(t / T (1 - c^2) + c^2)), the square-root pacing of
    competence-based curricula (arXiv 1903.09848). Ungraded problems count as their category's mean.

    pacing_steps: T, the steps until every problem is in.
    start_share: c, the share of the problems at the start.
    """

    pacing_steps: int = 100
    start_share: float = 0.2

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        _within(self, pacing_steps=(1, 10**9), start_share=(1e-6, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptiveSettings(CommonSettings):
    """What the kinds have in common that learn from their draws.

    exploration: share of the draws that goes evenly to all problems not retired.
    min_gap: a problem drawn at step s is not drawn again before step s + 1 + min_gap.
    retire_evidence: (aged) attempts a problem needs to be retired as solved or hopeless.
    retest_after: steps after which a retired problem is tried again, on average.
    retest_share: most of the draws that re-tests may take.
    expansion: `ratio` is the published moving average of 1 / (1 - not_valid_rate); `predicted`
        divides by the share of valid groups that the running rates predict for this very draw.
    initial_expansion: (`ratio`) before the first measurement.
    expansion_decay: (`ratio`) weight of the old average.
    expansion_cap: largest expansion, and what a step without any valid group counts as.
    domains: `free` lets the weights decide; `fixed` holds `domain_ratios`; `progress` gives a
        domain the more, the more its pass rates move, and at least `domain_floor`.
    domain_ratios: (`fixed`) the ratio of every domain; they need not sum to one.
    domain_floor: (`progress`) least share of a domain.
    carry_over: keep surplus valid groups for the next step (once) instead of dropping them.
    """

    exploration: float = 0.1
    min_gap: int = 1
    retire_evidence: float = 12.0
    retest_after: int = 50
    retest_share: float = 0.05
    expansion: Literal["ratio", "predicted"] = "ratio"
    initial_expansion: float = 1.5
    expansion_decay: float = 0.5
    expansion_cap: float = 4.0
    domains: Literal["free", "fixed", "progress"] = "free"
    domain_ratios: Mapping[str, float] = field(default_factory=dict)
    domain_floor: float = 0.05
    carry_over: bool = False

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        _within(self, exploration=(0, 1), min_gap=(0, 10**6), retire_evidence=(1, 1e6))
        _within(self, retest_after=(1, 10**9), retest_share=(0, 1))
        _within(self, initial_expansion=(1, 1e3), expansion_decay=(0, 1), expansion_cap=(1, 1e3))
        _within(self, domain_floor=(0, 1))
        _one_of(self, "expansion", ("ratio", "predicted"))
        _one_of(self, "domains", ("free", "fixed", "progress"))
        if (self.domains == "fixed") != bool(self.domain_ratios):
            raise SettingsError(
                "expected domain_ratios together with domains = fixed and only then, found "
                f"domains = {self.domains} and domain_ratios = {dict(self.domain_ratios)}"
            )
        for domain, ratio in self.domain_ratios.items():
            if not 0 <= ratio < float("inf"):
                raise SettingsError(
                    f"expected domain_ratios of at least 0, found {ratio} for {domain!r}"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class RlcsSettings(AdaptiveSettings):
    """Curriculum sampling by tiers.

    tier_weights: how much a problem of each tier is wanted, at tier centres, linear in between.
    tier_weights_end: where the tier weights have gone after `schedule_steps`, linearly; empty
        leaves them as they are.
    schedule_steps: see `tier_weights_end`.
    sharpness: a bucket's weight is its tier weight times (chance of a valid group) ^ sharpness.
    """

    tier_weights: tuple[float, ...] = (0.2, 0.8, 1.0, 0.8, 0.2)
    tier_weights_end: tuple[float, ...] = ()
    schedule_steps: int = 0
    sharpness: float = 3.0

    def __post_init__(self) -> None:
        AdaptiveSettings.__post_init__(self)
        _within(self, sharpness=(0, 20), schedule_steps=(0, 10**9))
        if bool(self.tier_weights_end) != bool(self.schedule_steps):
            raise SettingsError(
                "expected tier_weights_end and schedule_steps together or neither, found "
                f"{self.tier_weights_end} and {self.schedule_steps}"
            )
        for name in ("tier_weights", "tier_weights_end"):
            weights = getattr(self, name)
            if name == "tier_weights_end" and not weights:
                continue
            if len(weights) != len(self.tiers):
                raise SettingsError(
                    f"expected {len(self.tiers)} {name}, one a tier, found {len(weights)}"
                )
            if not (all(weight >= 0 for weight in weights) and max(weights) > 0):
                raise SettingsError(
                    f"expected {name} of at least 0, one of them above, found {weights}"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class PosteriorSettings(AdaptiveSettings):
    """Sampling by expected use.

    utility: `valid` is the chance that a group is valid; `variance` the expected reward variance
        of a completion, 4 p (1 - p) averaged over the posterior.
    thompson: weigh by a sample of the utility's posterior instead of by its mean. Off, because the
        exploration floor already explores and the samples' noise cost more than they found.
    sharpness: a bucket's weight is utility ^ sharpness.
    """

    utility: Literal["valid", "variance"] = "variance"
    thompson: bool = False
    sharpness: float = 3.0
    expansion: Literal["ratio", "predicted"] = "predicted"

    def __post_init__(self) -> None:
        AdaptiveSettings.__post_init__(self)
        _within(self, sharpness=(0, 20))
        _one_of(self, "utility", ("valid", "variance"))


@dataclass(frozen=True, kw_only=True, slots=True)
class HardStageSettings(AdaptiveSettings):
    """A second stage of only the hardest problems that are known to be solvable (GLM-4.5).

    GLM-4.5 took problems with pass@8 = 0 and pass@512 > 0. Here: those whose offline pass rate is
    above `pass_rate_above` and at most `pass_rate_upto`. All others, and ungraded ones, stay out.
    Problems are drawn evenly; the solved ones retire, hopeless ones do not.
    """

    pass_rate_above: float = 0.0
    pass_rate_upto: float = 0.125

    def __post_init__(self) -> None:
        AdaptiveSettings.__post_init__(self)
        _within(self, pass_rate_above=(0, 1), pass_rate_upto=(0, 1))
        if self.pass_rate_above >= self.pass_rate_upto:
            raise SettingsError(
                f"expected pass_rate_above < pass_rate_upto, found {self.pass_rate_above} and "
                f"{self.pass_rate_upto}"
            )


SETTINGS: Mapping[str, type[CommonSettings]] = {
    "rlcs": RlcsSettings,
    "posterior": PosteriorSettings,
    "uniform": UniformSettings,
    "dapo": DapoSettings,
    "hard_stage": HardStageSettings,
    "static": StaticSettings,
}
"""The settings of each kind `make_curriculum` knows."""


def make_settings(kind: str, given: Mapping[str, object]) -> CommonSettings:
    """The checked settings of a kind; SettingsError lists the known kinds or settings."""
    if kind not in SETTINGS:
        raise SettingsError(
            f"expected a kind of curriculum out of {', '.join(SETTINGS)}, found {kind!r}"
        )
    known = [each.name for each in fields(SETTINGS[kind])]
    if foreign := sorted(set(given) - set(known)):
        raise SettingsError(
            f"expected settings of {kind!r} out of {', '.join(known)}, found {', '.join(foreign)}"
        )
    return SETTINGS[kind](**given)  # type: ignore[arg-type]


def _within(settings: CommonSettings, **bounds: tuple[float, float]) -> None:
    for name, (low, high) in bounds.items():
        value = getattr(settings, name)
        # Written so that NaN fails too.
        if not (isinstance(value, int | float) and low <= value <= high):
            raise SettingsError(f"expected {name} between {low:g} and {high:g}, found {value!r}")


def _one_of(settings: CommonSettings, name: str, known: tuple[str, ...]) -> None:
    if (value := getattr(settings, name)) not in known:
        raise SettingsError(f"expected {name} out of {', '.join(known)}, found {value!r}")


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
