"""The settings of the kinds that weigh problems by the results of their draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from curricula.errors import SettingsError
from curricula.settings.common import CommonSettings
from curricula.strict import Setting

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
class WeightedSettings(CommonSettings):
    """What the kinds have in common that weigh problems by the results of their draws."""

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

    def __post_init__(self) -> None:
        CommonSettings.__post_init__(self)
        if (self.domains == "fixed") != bool(self.domain_ratios):
            raise SettingsError(
                "expected domain_ratios together with domains = fixed and only then, found "
                f"domains = {self.domains} and domain_ratios = {self.domain_ratios}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptiveSettings(WeightedSettings):
    """What the kinds have in common that retire problems and expand their draws."""

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
    carry_over: Annotated[
        bool,
        Setting(
            description="Whether surplus valid groups are kept for the next step, once, instead "
            "of being dropped.",
        ),
    ] = False


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
        WeightedSettings.__post_init__(self)
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
class FrontierSettings(WeightedSettings):
    """Sampling where groups vary most, by skills of categories that follow the policy.

    Every step rolls out exactly the groups it is asked for, as uniform sampling does, so that the
    same completions make as many updates of the model; only what they are of is chosen.
    """

    exploration: Annotated[
        float,
        Setting(
            description="The share of the draws that goes evenly to all problems: a review of what "
            "is never drawn otherwise.",
            ge=0,
            le=1,
        ),
    ] = 0.02
    sharpness: Annotated[
        float,
        Setting(
            description="The exponent of the expected reward variance in the weight of a bucket.",
            ge=0,
            le=20,
        ),
    ] = 3.0
    price_exponent: Annotated[
        float,
        Setting(
            description="The exponent of a category's price, the running mean of its completions' "
            "tokens over that of all, by which its weight is divided; 0 leaves lengths alone.",
            ge=0,
            le=20,
        ),
    ] = 0.0
    expansion_cap: Annotated[
        float,
        Setting(
            description="The largest expansion. Above 1 the groups drawn are those wanted over the "
            "share of them expected to be valid, at most so many times as many, which makes "
            "fewer and fuller updates of the same completions.",
            ge=1,
            le=1e3,
        ),
    ] = 1.0
    max_draws: Annotated[
        int,
        Setting(
            description="The largest number of draws in one step. Above 1 the valid groups that "
            "are missing are drawn again, each domain what it lacks of its share; the batches are "
            "full and cost more completions.",
            ge=1,
            le=10**6,
        ),
    ] = 1

    def __post_init__(self) -> None:
        WeightedSettings.__post_init__(self)
        if self.max_draws > 1 and self.expansion_cap > 1:
            raise SettingsError(
                "expected max_draws or expansion_cap above 1, found both: "
                f"{self.max_draws} and {self.expansion_cap}; refills need no expansion"
            )


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
        WeightedSettings.__post_init__(self)
        if self.pass_rate_above >= self.pass_rate_upto:
            raise SettingsError(
                f"expected pass_rate_above < pass_rate_upto, found {self.pass_rate_above} and "
                f"{self.pass_rate_upto}"
            )
