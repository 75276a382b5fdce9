"""The settings of the published samplers; as strict as those of every other kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from curricula.settings import SETTINGS, CommonSettings, DapoSettings
from curricula.strict import Setting, check_names, declared_settings

PREFIX = "study/"


@dataclass(frozen=True, kw_only=True, slots=True)
class GresoSettings(DapoSettings):
    """GRESO (arXiv 2506.02177): see `skipping.Greso`."""

    target_easy: Annotated[
        float,
        Setting(description="Target share of groups that all pass, of those drawn.", ge=0, le=1),
    ] = 1 / 12
    target_hard: Annotated[
        float,
        Setting(description="Target share of groups that all fail, of those drawn.", ge=0, le=1),
    ] = 1 / 6
    start: Annotated[
        float,
        Setting(description="The first exploration probabilities.", ge=0, le=1),
    ] = 0.5
    adjustment: Annotated[
        float,
        Setting(description="What they are moved by after each rollout.", ge=0, le=1),
    ] = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class MoppsSettings(CommonSettings):
    """MoPPS (arXiv 2507.04632): see `bayesian.Mopps`."""

    memory: Annotated[
        float,
        Setting(
            description="What old evidence about a problem counts beside a new group of it.",
            ge=0,
            le=1,
        ),
    ] = 0.5
    target: Annotated[
        float, Setting(description="The pass rate that is looked for.", ge=0, le=1)
    ] = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class KgpsSettings(CommonSettings):
    """KGPS (arXiv 2607.27610): see `bayesian.Kgps`."""

    drift: Annotated[
        float,
        Setting(description="Variance, in squared logits, that each step adds.", ge=0, le=100),
    ] = 0.05
    prior_variance: Annotated[
        float,
        Setting(description="Variance of a problem's logit before it is seen.", gt=0, le=1000),
    ] = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DpsSettings(CommonSettings):
    """DPS (arXiv 2603.10887): see `bayesian.Dps`."""

    memory: Annotated[
        float,
        Setting(description="What old transitions count beside a new one.", ge=0, le=1),
    ] = 0.9
    misreading: Annotated[
        float,
        Setting(
            description="The chance that a group looks like another state than the problem's.",
            ge=1e-6,
            le=0.5,
        ),
    ] = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class AdarftSettings(CommonSettings):
    """AdaRFT (arXiv 2504.05520): see `targets.Adarft`."""

    step_size: Annotated[
        float, Setting(description="The largest move of the target difficulty.", ge=0, le=100)
    ] = 50.0
    sensitivity: Annotated[
        float, Setting(description="Factor of the reward's distance in the tanh.", ge=0, le=100)
    ] = 2.0
    target_reward: Annotated[
        float, Setting(description="The mean pass rate that is aimed at.", ge=0, le=1)
    ] = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class VcrlSettings(CommonSettings):
    """VCRL (arXiv 2509.19803): see `targets.Vcrl`."""

    first_threshold: Annotated[
        float,
        Setting(description="Least normalised variance of a kept group at first.", ge=0, le=1),
    ] = 0.3
    threshold: Annotated[float, Setting(description="The same after first_steps.", ge=0, le=1)] = (
        0.8
    )
    first_steps: Annotated[
        int, Setting(description="Steps with first_threshold.", ge=0, le=10**9)
    ] = 20
    momentum: Annotated[
        float,
        Setting(description="What a problem's old priority counts in the new one.", ge=0, le=1),
    ] = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class LiloSettings(CommonSettings):
    """LILO (arXiv 2502.12272): see `targets.Oversampled`."""

    candidates: Annotated[
        float,
        Setting(description="Problems rolled out for each one trained on.", ge=1, le=1000),
    ] = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PrimePoolsSettings(CommonSettings):
    """Pools by the last group's mean, as in prime-rl: see `skipping.PrimePools`."""

    easy_above: Annotated[
        float, Setting(description="Last means above this one are easy.", ge=0, le=1)
    ] = 0.75
    hard_below: Annotated[
        float, Setting(description="Last means below this one are hard.", ge=0, le=1)
    ] = 0.25
    weights: Annotated[
        tuple[float, ...],
        Setting(description="Weight of a problem that is easy, normal, hard.", ge=0),
    ] = (0.2, 1.0, 0.2)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecSettings(CommonSettings):
    """SEC (arXiv 2505.14970): see `bandits.Sec`."""

    learning_rate: Annotated[
        float, Setting(description="Weight of a new reward in a category's value.", ge=0, le=1)
    ] = 0.5
    temperature: Annotated[
        float, Setting(description="Temperature of the Boltzmann choice.", gt=0, le=100)
    ] = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class DumpSettings(CommonSettings):
    """DUMP (arXiv 2504.09710): see `bandits.Dump`."""

    window: Annotated[
        int, Setting(description="Groups of a category that count, the last ones.", ge=1, le=10**4)
    ] = 40
    temperature: Annotated[
        float, Setting(description="Temperature of the Boltzmann choice.", gt=0, le=100)
    ] = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedSettings(DapoSettings):
    """SPEED (arXiv 2506.09016): shuffled epochs, every group screened: see `making`."""

    screening: Annotated[
        int, Setting(description="Completions of a group that decide on the rest.", ge=2, le=10**4)
    ] = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class PilotCommitSettings(SpeedSettings):
    """Pilot-Commit (arXiv 2605.26606): see `skipping.PilotCommit`."""

    evicted_for: Annotated[
        int,
        Setting(description="Steps for which a problem that looks solved rests.", ge=0, le=10**9),
    ] = 50
    deferred_for: Annotated[
        int,
        Setting(description="Steps for which a problem that looks too hard rests.", ge=0, le=10**9),
    ] = 10


STUDY_SETTINGS: Mapping[str, type[CommonSettings]] = {
    "study/greso": GresoSettings,
    "study/mopps": MoppsSettings,
    "study/kgps": KgpsSettings,
    "study/dps": DpsSettings,
    "study/speed": SpeedSettings,
    "study/pilot_commit": PilotCommitSettings,
    "study/adarft": AdarftSettings,
    "study/sec": SecSettings,
    "study/dump": DumpSettings,
    "study/vcrl": VcrlSettings,
    "study/prime_pools": PrimePoolsSettings,
    "study/lilo": LiloSettings,
}
"""The settings of each published sampler."""


def any_settings(kind: str, given: Mapping[str, object]) -> CommonSettings:
    """Return the checked settings of a kind, be it one of `SETTINGS` or of `STUDY_SETTINGS`.

    SettingsError says what was expected and found.
    """
    known = {**SETTINGS, **STUDY_SETTINGS}
    check_names([kind], known, "a kind of curriculum")
    check_names(given, declared_settings(known[kind]), f"settings of {kind!r}")
    return known[kind](**given)  # type: ignore[arg-type]
