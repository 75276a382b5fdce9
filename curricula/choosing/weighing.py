"""How much a problem of each (category, segment) bucket is wanted: one function a kind.

A weigher is called with the step and, when it is for an actual draw, the generator; without one it
gives its expectation. It returns [categories, segments]; zero means never to be drawn.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.skill_history import SkillHistory
from curricula.knowledge.tiers import Floats
from curricula.settings import FrontierSettings, PosteriorSettings, RlcsSettings, StaticSettings

Weigher = Callable[[int, Generator | None], Floats]

_LEAST = 1e-9
"""Weight of a bucket that is of no use but may be drawn, for exploration and re-tests."""


def by_tier(history: PassRateHistory, settings: RlcsSettings) -> Weigher:
    """Weight of a bucket: its tier's weight times (chance of a valid group) ^ sharpness.

    The tier is that of the bucket's running pass rate, so a category that has become easy counts
    as easy whatever its problems' tiers were when they were last seen. The valid chance is what
    tells a category of middling problems from one half trivial, half impossible.
    """
    hardest_first = history.tiers.tier_centres[::-1]
    start = np.array(settings.tier_weights)
    end = np.array(settings.tier_weights_end or settings.tier_weights)

    def weigh(step: int, rng: Generator | None) -> Floats:
        done = min(1.0, step / settings.schedule_steps) if settings.schedule_steps else 0.0
        wanted = (1 - done) * start + done * end
        tier_weight = np.interp(history.rates.pass_rate(), hardest_first, wanted[::-1])
        chance = history.rates.valid_chance()
        return _but_outside(history, np.maximum(tier_weight * chance**settings.sharpness, _LEAST))

    return weigh


def by_utility(history: PassRateHistory, settings: PosteriorSettings) -> Weigher:
    """Weight of a bucket: (expected use of a group) ^ sharpness, or a Thompson sample of it."""

    def weigh(step: int, rng: Generator | None) -> Floats:
        rates = history.rates
        use = rates.valid_chance() if settings.utility == "valid" else rates.variance()
        if settings.thompson and rng is not None:
            use = rates.sampled(use, rng)
        return _but_outside(history, np.maximum(use**settings.sharpness, _LEAST))

    return weigh


def by_variance(history: SkillHistory, settings: FrontierSettings) -> Weigher:
    """Weight of a bucket: (expected reward variance) ^ sharpness / price ^ price_exponent."""

    def weigh(step: int, rng: Generator | None) -> Floats:
        history.rates.age(step)
        price = history.rates.prices.relative()[:, None] ** settings.price_exponent
        wanted = history.rates.variance() ** settings.sharpness / price
        return _but_outside(history, np.maximum(wanted, _LEAST))

    return weigh


def evenly(history: PassRateHistory) -> Weigher:
    """The same weight for every problem that is not outside."""

    def weigh(step: int, rng: Generator | None) -> Floats:
        return _but_outside(history, np.ones(history.rates.groups.shape))

    return weigh


def easiest_first(history: PassRateHistory, settings: StaticSettings) -> Weigher:
    """Only the easiest share of the problems, by offline difficulty; see `StaticSettings`."""
    easy_to_hard = np.argsort(-history.tiers.expected_rate[history.tiers.unseen], kind="stable")
    segments = history.tiers.unseen[easy_to_hard]
    start = settings.start_share**2

    def weigh(step: int, rng: Generator | None) -> Floats:
        progress = min(1.0, step / settings.pacing_steps)
        share = (progress * (1 - start) + start) ** 0.5
        sizes = history.sizes()[:, segments].sum(0)
        ends = np.cumsum(sizes)
        inside = (share * ends[-1] - (ends - sizes)) / np.maximum(1, sizes)
        weights = np.zeros(history.rates.groups.shape)
        # The bin the share ends in takes part with the fraction that is inside.
        weights[:, segments] = np.clip(inside, 0.0, 1.0)
        return weights

    return weigh


def _but_outside(history: PassRateHistory, weights: Floats) -> Floats:
    weights[:, history.tiers.outside] = 0.0
    return weights
