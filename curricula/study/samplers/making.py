"""Curricula of every kind by name, the published samplers among them."""

from collections.abc import Sequence

import numpy as np

from curricula.choosing.choosers import Chooser, EpochChooser
from curricula.choosing.domains import FixedShares
from curricula.choosing.expansion import RatioAverage
from curricula.choosing.pacing import OneDraw, Pacing, Refill
from curricula.contract import CurriculumProblem
from curricula.curriculum import SamplingCurriculum
from curricula.factory import (
    check_group,
    filled_in,
    history_of,
    make_curriculum,
)
from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.problems import ProblemSet
from curricula.settings import CommonSettings, DapoSettings
from curricula.study.samplers import settings as of
from curricula.study.samplers.bandits import Dump, Sec
from curricula.study.samplers.bayesian import Dps, Kgps, Mopps
from curricula.study.samplers.skipping import Greso, PilotCommit, PrimePools
from curricula.study.samplers.targets import Adarft, Oversampled, Replaced, Vcrl


def make_any_curriculum(
    kind: str,
    problems: Sequence[CurriculumProblem] | ProblemSet,
    *,
    group_size: int,
    seed: int,
    **settings: object,
) -> SamplingCurriculum:
    """Make a curriculum of any kind: one of the product, or a published sampler (`study/...`)."""
    make = make_study_curriculum if kind.startswith(of.PREFIX) else make_curriculum
    return make(kind, problems, group_size=group_size, seed=seed, **settings)


def make_study_curriculum(
    kind: str,
    problems: Sequence[CurriculumProblem] | ProblemSet,
    *,
    group_size: int,
    seed: int,
    **settings: object,
) -> SamplingCurriculum:
    """Make a published sampler over these problems; `kind` is a key of `STUDY_SETTINGS`.

    SettingsError says what does not fit.
    """
    checked = of.any_settings(kind, settings)
    check_group(group_size, seed)
    if not isinstance(problems, ProblemSet):
        problems = ProblemSet.of(problems)
    history = history_of(problems, checked, group_size)
    chooser = _chooser(history, checked, problems, seed)
    return SamplingCurriculum(
        problems.roster,
        history,
        chooser,
        _pacing(checked, chooser),
        kind=kind,
        min_gap=0,
        domains=FixedShares((), {}),
        carry_over=False,
        screening=checked.screening if isinstance(checked, of.SpeedSettings) else 0,
        rng=np.random.Generator(np.random.PCG64(seed)),
    )


def _chooser(
    history: PassRateHistory, settings: CommonSettings, problems: ProblemSet, seed: int
) -> Chooser:
    match settings:
        case of.GresoSettings():
            return Greso(history, settings)
        case of.MoppsSettings():
            return Mopps(history, settings)
        case of.KgpsSettings():
            return Kgps(history, settings)
        case of.DpsSettings():
            return Dps(history, settings)
        case of.PilotCommitSettings():
            return PilotCommit(history, settings)
        case of.AdarftSettings():
            return Adarft(history, settings, filled_in(problems))
        case of.SecSettings():
            return Sec(history, settings)
        case of.DumpSettings():
            return Dump(history, settings)
        case of.VcrlSettings():
            return Vcrl(history, settings)
        case of.PrimePoolsSettings():
            return PrimePools(history, settings)
        case _:
            return EpochChooser(history, seed)


def _pacing(settings: CommonSettings, chooser: Chooser) -> Pacing:
    if isinstance(settings, DapoSettings):
        return Refill(settings.max_draws)
    if isinstance(settings, of.LiloSettings):
        return Oversampled(settings.candidates)
    if isinstance(chooser, Vcrl):
        return Replaced(chooser)
    return OneDraw(RatioAverage(initial=1.0, decay=0.0, cap=1.0), expand=False)
