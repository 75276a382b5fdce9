"""Putting a curriculum together from its kind and settings."""

from collections.abc import Callable, Sequence

import numpy as np

from curricula.choosing import Coverage, EpochChooser, WeightedChooser
from curricula.contract import CurriculumProblem
from curricula.errors import SettingsError
from curricula.expansion import RatioAverage
from curricula.history import PassRateHistory, Retirement
from curricula.pacing import OneDraw
from curricula.problems import ProblemSet
from curricula.sampling import SamplingCurriculum
from curricula.settings import CommonSettings, RlcsSettings, UniformSettings, make_settings
from curricula.tiers import Floats, TierLayout


def make_curriculum(
    kind: str,
    problems: Sequence[CurriculumProblem] | ProblemSet,
    *,
    group_size: int,
    seed: int,
    **settings: object,
) -> SamplingCurriculum:
    """A curriculum over these problems.

    `kind` is a key of `SETTINGS`, `settings` are fields of the class found there. `group_size` is
    the number of completions a problem gets, `seed` the only source of randomness. From millions
    of problems build a `ProblemSet` of parallel sequences. SettingsError says what does not fit.
    """
    checked = make_settings(kind, settings)
    if group_size < 2:
        raise SettingsError(
            f"expected group_size of at least 2, found {group_size}; "
            "a single completion can be neither better nor worse than its group"
        )
    if seed < 0:
        raise SettingsError(f"expected a seed of at least 0, found {seed}")
    if not isinstance(problems, ProblemSet):
        problems = ProblemSet.of(problems)
    return _BUILDERS[type(checked)](kind, problems, group_size, seed, checked)


def _history(
    problems: ProblemSet,
    group_size: int,
    settings: CommonSettings,
    retirement: Retirement | None = None,
) -> PassRateHistory:
    return PassRateHistory(
        problems,
        TierLayout(settings.tiers, settings.boundaries),
        group_size=group_size,
        discount=settings.discount,
        rate_discount=settings.rate_discount,
        prior_strength=settings.prior_strength,
        retirement=retirement,
    )


def _uniform(
    kind: str, problems: ProblemSet, group_size: int, seed: int, settings: CommonSettings
) -> SamplingCurriculum:
    history = _history(problems, group_size, settings)
    return SamplingCurriculum(
        problems.ids,
        history,
        EpochChooser(history, seed),
        OneDraw(RatioAverage(initial=1.0, decay=0.0, cap=1.0), expand=False),
        kind=kind,
        min_gap=0,
        domain_shares=None,
        rng=_generator(seed),
    )


def _rlcs(
    kind: str, problems: ProblemSet, group_size: int, seed: int, settings: CommonSettings
) -> SamplingCurriculum:
    assert isinstance(settings, RlcsSettings)
    history = _history(
        problems,
        group_size,
        settings,
        Retirement(evidence=settings.retire_evidence, solved_above=0.95, hopeless_below=0.05),
    )
    coverage = Coverage(
        exploration=settings.exploration,
        retest_after=settings.retest_after,
        retest_share=settings.retest_share,
    )
    average = RatioAverage(
        initial=settings.initial_expansion,
        decay=settings.expansion_decay,
        cap=settings.expansion_cap,
    )
    return SamplingCurriculum(
        problems.ids,
        history,
        WeightedChooser(history, tier_weighing(history, settings), coverage),
        OneDraw(average, expand=True),
        kind=kind,
        min_gap=settings.min_gap,
        domain_shares=None,
        rng=_generator(seed),
    )


def tier_weighing(history: PassRateHistory, settings: RlcsSettings) -> Callable[[int], Floats]:
    """Weight of a bucket: its tier's weight times (chance of a valid group) ^ sharpness.

    The tier is that of the bucket's running pass rate, so a category that has become easy counts
    as easy whatever its problems' tiers were when they were last seen. The valid chance is what
    tells a category of middling problems from one half trivial, half impossible.
    """
    hardest_first = history.tiers.centres[::-1]
    wanted = np.array(settings.tier_weights[::-1])

    def weigh(step: int) -> Floats:
        by_tier = np.interp(history.rates.pass_rate(), hardest_first, wanted)
        chance = history.rates.valid_chance()
        # Never quite zero: the exploration floor and re-tests reach every bucket.
        return np.asarray(np.maximum(by_tier * chance**settings.sharpness, 1e-9))

    return weigh


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


_BUILDERS: dict[
    type[CommonSettings],
    Callable[[str, ProblemSet, int, int, CommonSettings], SamplingCurriculum],
] = {UniformSettings: _uniform, RlcsSettings: _rlcs}
