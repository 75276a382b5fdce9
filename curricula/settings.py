"""The settings of each kind of curriculum: flat, typed, checked strictly on construction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal

from curricula.errors import SettingsError
from curricula.strict import Setting, check_names, check_settings, declared_settings


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


_Expansion = Annotated[
    Literal["ratio", "predicted"],
    Setting(
        description="How many more groups are drawn than wanted. With ratio it is the "
        "published moving average of 1 / (1 - not_valid_rate). With predicted the number is "
        "divided by the share of valid groups that the running rates predict for this very "
        "draw.",
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptiveSettings(CommonSettings):
    """What the kinds have in common that learn from the results of their draws."""

    exploration: Annotated[
        float,
        Setting(
            description="The share of the draws that goes evenly to all problems that are not "
            "retired.",
            ge=0,
            le=1,
        ),
    ] = 0.1
    min_gap: Annotated[
        int,
        Setting(
            description="The number of steps for which a drawn problem rests: drawn at step s, it "
            "is not drawn again before step s + 1 + min_gap.",
            ge=0,
            le=10**6,
        ),
    ] = 1
    retire_evidence: Annotated[
        float,
        Setting(
            description="How many attempts, aged by discount, a problem needs before it can be "
            "retired as solved or hopeless.",
            ge=1,
            le=1e6,
        ),
    ] = 12.0
    retest_after: Annotated[
        int,
        Setting(
            description="After how many steps a retired problem is tried again, on average.",
            ge=1,
            le=10**9,
        ),
    ] = 50
    retest_share: Annotated[
        float,
        Setting(
            description="The largest share of the draws that trying retired problems again may "
            "take.",
            ge=0,
            le=1,
        ),
    ] = 0.05
    expansion: _Expansion = "ratio"
    initial_expansion: Annotated[
        float,
        Setting(
            description="The expansion before anything was measured. It counts with "
            "expansion: ratio only.",
            ge=1,
            le=1e3,
        ),
    ] = 1.5
    expansion_decay: Annotated[
        float,
        Setting(
            description="The weight of the old average when a step's ratio is added to it. It "
            "counts with expansion: ratio only.",
            ge=0,
            le=1,
        ),
    ] = 0.5
    expansion_cap: Annotated[
        float,
        Setting(
            description="The largest expansion, and what a step without any valid group counts as.",
            ge=1,
            le=1e3,
        ),
    ] = 4.0
    domains: Annotated[
        Literal["free", "fixed", "progress"],
        Setting(
            description="Who decides the share of each domain. With free the weights of the "
            "problems decide. With fixed the shares are those of domain_ratios. With progress a "
            "domain gets the more, the more its pass rates move, and at least domain_floor.",
        ),
    ] = "free"
    domain_ratios: Annotated[
        Mapping[str, float],
        Setting(
            description="The ratio of every domain, with domains: fixed only. The ratios need not "
            "sum to one.",
            ge=0,
        ),
    ] = field(default_factory=dict)
    domain_floor: Annotated[
        float,
        Setting(
            description="The least share of a domain, with domains: progress only.", ge=0, le=1
        ),
    ] = 0.05
    carry_over: Annotated[
        bool,
        Setting(
            description="Whether surplus valid groups are kept for the next step, once, instead "
            "of being dropped.",
        ),
    ] = False

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        if (self.domains == "fixed") != bool(self.domain_ratios):
            raise SettingsError(
                "expected domain_ratios together with domains = fixed and only then, found "
                f"domains = {self.domains} and domain_ratios = {self.domain_ratios}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class RlcsSettings(AdaptiveSettings):
    """Curriculum sampling by tiers (arXiv 2507.01006)."""

    tier_weights: Annotated[
        tuple[float, ...],
        Setting(
            description="How much a problem of each tier is wanted, one number a tier, at least "
            "one of them above 0. A weight holds at the centre of its tier, and is linear in "
            "between.",
            ge=0,
        ),
    ] = (0.2, 0.8, 1.0, 0.8, 0.2)
    tier_weights_end: Annotated[
        tuple[float, ...],
        Setting(
            description="The tier weights after schedule_steps, to which they move linearly from "
            "the start. An empty list leaves the weights as they are.",
            ge=0,
        ),
    ] = ()
    schedule_steps: Annotated[
        int,
        Setting(
            description="The number of steps in which the tier weights move to tier_weights_end.",
            ge=0,
            le=10**9,
        ),
    ] = 0
    sharpness: Annotated[
        float,
        Setting(
            description="The exponent of the chance of a valid group in the weight of a bucket, "
            "which is tier weight times chance ^ sharpness.",
            ge=0,
            le=20,
        ),
    ] = 3.0

    def __post_init__(self) -> None:
        AdaptiveSettings.__post_init__(self)
        if bool(self.tier_weights_end) != bool(self.schedule_steps):
            raise SettingsError(
                "expected tier_weights_end and schedule_steps together or neither, found "
                f"{self.tier_weights_end} and {self.schedule_steps}"
            )
        self._check_weights("tier_weights", self.tier_weights)
        if self.tier_weights_end:
            self._check_weights("tier_weights_end", self.tier_weights_end)

    def _check_weights(self, name: str, weights: Sequence[float]) -> None:
        if len(weights) != len(self.tiers):
            raise SettingsError(
                f"expected {len(self.tiers)} {name}, one a tier, found {len(weights)}"
            )
        if not any(weights):
            raise SettingsError(f"expected {name} with one above 0, found only zeros")


@dataclass(frozen=True, kw_only=True, slots=True)
class PosteriorSettings(AdaptiveSettings):
    """Sampling by the expected use of a group."""

    utility: Annotated[
        Literal["valid", "variance"],
        Setting(
            description="What the use of a group is. With valid it is the chance that the group is "
            "valid. With variance it is the expected reward variance of a completion, 4 p (1 - p) "
            "averaged over the posterior of the pass rate p.",
        ),
    ] = "variance"
    thompson: Annotated[
        bool,
        Setting(
            description="Whether a bucket is weighed by a sample of the posterior of its utility "
            "instead of by the mean. It is off, because the exploration floor already explores, "
            "and the noise of the samples cost more than they found.",
        ),
    ] = False
    sharpness: Annotated[
        float,
        Setting(
            description="The exponent of the utility in the weight of a bucket, which is "
            "utility ^ sharpness.",
            ge=0,
            le=20,
        ),
    ] = 3.0
    expansion: _Expansion = "predicted"


@dataclass(frozen=True, kw_only=True, slots=True)
class HardStageSettings(AdaptiveSettings):
    """A second stage of only the hardest problems that are known to be solvable (GLM-4.5).

    GLM-4.5 (arXiv 2508.06471) took problems with pass@8 = 0 and pass@512 > 0. Here the offline
    pass rate decides; ungraded problems stay out. Problems are drawn evenly; the solved ones
    retire, hopeless ones do not.
    """

    pass_rate_above: Annotated[
        float,
        Setting(
            description="Problems are in whose offline pass rate is above this one.", ge=0, le=1
        ),
    ] = 0.0
    pass_rate_upto: Annotated[
        float,
        Setting(
            description="Problems are in whose offline pass rate is not above this one.", ge=0, le=1
        ),
    ] = 0.125

    def __post_init__(self) -> None:
        AdaptiveSettings.__post_init__(self)
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
    """The settings of a kind, checked strictly: no value is taken for another type's.

    SettingsError says what was expected and found: a kind or a name that is not known, a value
    of the wrong type or out of bounds, values that contradict each other.
    """
    check_names([kind], SETTINGS, "a kind of curriculum")
    check_names(given, declared_settings(SETTINGS[kind]), f"settings of {kind!r}")
    return SETTINGS[kind](**given)  # type: ignore[arg-type]


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
