"""Putting a curriculum together from its kind and settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curricula.choosing.choosers import Chooser, Coverage, EpochChooser, WeightedChooser
from curricula.choosing.domains import DomainShares, FixedShares, ProgressShares
from curricula.choosing.expansion import RatioAverage
from curricula.choosing.pacing import OneDraw, Pacing, PredictedDraw, Refill
from curricula.choosing.weighing import (
    Weigher,
    by_tier,
    by_utility,
    by_variance,
    easiest_first,
    evenly,
)
from curricula.contract import CurriculumProblem
from curricula.curriculum import SamplingCurriculum
from curricula.errors import SettingsError
from curricula.knowledge.history import PassRateHistory, Retirement
from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.skill_history import SkillHistory
from curricula.knowledge.tiers import TierLayout
from curricula.settings import (
    AdaptiveSettings,
    CommonSettings,
    DapoSettings,
    FrontierSettings,
    HardStageSettings,
    PosteriorSettings,
    RlcsSettings,
    StaticSettings,
    WeightedSettings,
    make_settings,
)

_SOLVED_ABOVE, _HOPELESS_BELOW = 0.95, 0.05
_BINS_OF_POSTERIOR, _BINS_OF_FRONTIER, _BINS_OF_STATIC = 2, 3, 5
"""How many bins a tier has in the kinds that go by pass rates and not by tiers."""


def make_curriculum(
    kind: str,
    problems: Sequence[CurriculumProblem] | ProblemSet,
    *,
    group_size: int,
    seed: int,
    **settings: object,
) -> SamplingCurriculum:
    """Make a curriculum over these problems.

    `kind` is a key of `SETTINGS`, `settings` are fields of the class found there. `group_size` is
    the number of completions a problem gets, `seed` the only source of randomness. From millions
    of problems build a `ProblemSet` of parallel sequences. SettingsError says what does not fit.
    """
    checked = make_settings(kind, settings)
    check_group(group_size, seed)
    if not isinstance(problems, ProblemSet):
        problems = ProblemSet.of(problems)
    parts = _parts(problems, checked, group_size, seed)
    return SamplingCurriculum(
        problems.roster,
        parts.history,
        parts.chooser,
        parts.pacing,
        kind=kind,
        min_gap=parts.min_gap,
        domains=parts.domains,
        carry_over=parts.carry_over,
        rng=np.random.Generator(np.random.PCG64(seed)),
    )


def check_group(group_size: int, seed: int) -> None:
    """SettingsError unless these can be a group's size and a seed."""
    if group_size < 2:
        raise SettingsError(
            f"expected group_size of at least 2, found {group_size}; "
            "a single completion can be neither better nor worse than its group"
        )
    if seed < 0:
        raise SettingsError(f"expected a seed of at least 0, found {seed}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """The objects that the kinds differ in."""

    history: PassRateHistory
    chooser: Chooser
    pacing: Pacing
    domains: DomainShares = field(default_factory=lambda: FixedShares((), {}))
    min_gap: int = 0
    carry_over: bool = False


def _parts(problems: ProblemSet, settings: CommonSettings, group_size: int, seed: int) -> _Parts:
    if isinstance(settings, AdaptiveSettings):
        return _adaptive(problems, settings, group_size)
    if isinstance(settings, FrontierSettings):
        return _frontier(problems, settings, group_size)
    if isinstance(settings, StaticSettings):
        return _static(problems, settings, group_size)
    history = history_of(problems, settings, group_size)
    pacing = Refill(settings.max_draws) if isinstance(settings, DapoSettings) else _unexpanded()
    return _Parts(history=history, chooser=EpochChooser(history, seed), pacing=pacing)


def _static(problems: ProblemSet, settings: StaticSettings, group_size: int) -> _Parts:
    tiers = TierLayout(settings.tiers, settings.boundaries, _BINS_OF_STATIC)
    homes = tiers.homes(filled_in(problems))
    history = history_of(problems, settings, group_size, tiers=tiers, homes=homes, movable=False)
    alone = FixedShares((), {})
    coverage = Coverage(exploration=0.0, retest_after=1, retest_share=0.0)
    chooser = WeightedChooser(history, easiest_first(history, settings), coverage, alone)
    return _Parts(history=history, chooser=chooser, pacing=_unexpanded())


def _frontier(problems: ProblemSet, settings: FrontierSettings, group_size: int) -> _Parts:
    history = SkillHistory(
        problems,
        TierLayout(settings.tiers, settings.boundaries, _BINS_OF_FRONTIER),
        group_size=group_size,
        discount=settings.discount,
        rate_discount=settings.rate_discount,
        prior_strength=settings.prior_strength,
    )
    domains = _domains(problems, settings)
    coverage = Coverage(exploration=settings.exploration, retest_after=1, retest_share=0.0)
    chooser = WeightedChooser(history, by_variance(history, settings), coverage, domains)
    return _Parts(
        history=history,
        chooser=chooser,
        pacing=Refill(settings.max_draws)
        if settings.max_draws > 1
        else PredictedDraw(settings.expansion_cap),
        domains=domains,
        min_gap=settings.min_gap,
    )


def _domains(problems: ProblemSet, settings: WeightedSettings) -> DomainShares:
    if settings.domains == "progress":
        return ProgressShares(len(problems.domains), settings.domain_floor)
    return FixedShares(problems.domains, settings.domain_ratios)


def _adaptive(problems: ProblemSet, settings: AdaptiveSettings, group_size: int) -> _Parts:
    bins = _BINS_OF_POSTERIOR if isinstance(settings, PosteriorSettings) else 1
    tiers = TierLayout(settings.tiers, settings.boundaries, bins)
    homes, hopeless_below = None, _HOPELESS_BELOW
    if isinstance(settings, HardStageSettings):
        homes, hopeless_below = _stage_homes(problems, tiers, settings), -1.0
    history = history_of(
        problems,
        settings,
        group_size,
        tiers=tiers,
        homes=homes,
        retirement=Retirement(
            evidence=settings.retire_evidence,
            solved_above=_SOLVED_ABOVE,
            hopeless_below=hopeless_below,
        ),
    )
    domains = _domains(problems, settings)
    coverage = Coverage(
        exploration=settings.exploration,
        retest_after=settings.retest_after,
        retest_share=settings.retest_share,
    )
    return _Parts(
        history=history,
        chooser=WeightedChooser(history, _weigher(history, settings), coverage, domains),
        pacing=_expanded(settings),
        domains=domains,
        min_gap=settings.min_gap,
        carry_over=settings.carry_over,
    )


def _weigher(history: PassRateHistory, settings: AdaptiveSettings) -> Weigher:
    if isinstance(settings, RlcsSettings):
        return by_tier(history, settings)
    if isinstance(settings, PosteriorSettings):
        return by_utility(history, settings)
    return evenly(history)


def history_of(
    problems: ProblemSet,
    settings: CommonSettings,
    group_size: int,
    *,
    tiers: TierLayout | None = None,
    homes: NDArray[np.uint8] | None = None,
    retirement: Retirement | None = None,
    movable: bool = True,
) -> PassRateHistory:
    """Return an empty history over these problems; every kind keeps one."""
    tiers = tiers or TierLayout(settings.tiers, settings.boundaries)
    return PassRateHistory(
        problems,
        tiers,
        group_size=group_size,
        discount=settings.discount,
        rate_discount=settings.rate_discount,
        prior_strength=settings.prior_strength,
        homes=tiers.homes(problems.prior_pass_rates) if homes is None else homes,
        retirement=retirement,
        movable=movable,
    )


def _stage_homes(
    problems: ProblemSet, tiers: TierLayout, settings: HardStageSettings
) -> NDArray[np.uint8]:
    """The segment each problem starts in: outside unless it is known to be hard and solvable."""
    rates = problems.prior_pass_rates
    inside = (rates > settings.pass_rate_above) & (rates <= settings.pass_rate_upto)
    if not inside.any():
        raise SettingsError(
            f"expected problems with an offline pass rate above {settings.pass_rate_above} and at "
            f"most {settings.pass_rate_upto}, found none among {len(problems)} problems "
            f"({int(np.isnan(rates).sum())} ungraded); grade the problems or widen the band"
        )
    return np.where(inside, tiers.homes(rates), np.uint8(tiers.outside))


def filled_in(problems: ProblemSet) -> NDArray[np.float64]:
    """Return offline pass rates; of an ungraded problem its category's mean, or a half.

    SettingsError when no problem is graded.
    """
    rates = problems.prior_pass_rates.astype(np.float64)
    graded = ~np.isnan(rates)
    if not graded.any():
        raise SettingsError(
            f"expected offline pass rates to go from easy to hard by, found {len(problems)} "
            "problems without any; grade the problems first"
        )
    codes = problems.category_codes
    num = len(problems.categories)
    sums = np.bincount(codes[graded], rates[graded], minlength=num)
    counts = np.bincount(codes[graded], minlength=num)
    means = np.where(counts > 0, sums / np.maximum(1, counts), 0.5)
    return np.where(graded, rates, means[codes])


def _unexpanded() -> Pacing:
    return OneDraw(RatioAverage(initial=1.0, decay=0.0, cap=1.0), expand=False)


def _expanded(settings: AdaptiveSettings) -> Pacing:
    if settings.expansion == "predicted":
        return PredictedDraw(settings.expansion_cap)
    average = RatioAverage(
        initial=settings.initial_expansion,
        decay=settings.expansion_decay,
        cap=settings.expansion_cap,
    )
    return OneDraw(average, expand=True)
