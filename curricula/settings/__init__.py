"""The settings of each kind of curriculum: flat, typed, checked strictly on construction."""

from collections.abc import Mapping

from curricula.settings.common import (
    CommonSettings,
    DapoSettings,
    StaticSettings,
    UniformSettings,
    check_tiers,
)
from curricula.settings.weighted import (
    AdaptiveSettings,
    FrontierSettings,
    HardStageSettings,
    PosteriorSettings,
    RlcsSettings,
    WeightedSettings,
)
from curricula.strict import check_names, declared_settings

__all__ = [
    "SETTINGS",
    "AdaptiveSettings",
    "CommonSettings",
    "DapoSettings",
    "FrontierSettings",
    "HardStageSettings",
    "PosteriorSettings",
    "RlcsSettings",
    "StaticSettings",
    "UniformSettings",
    "WeightedSettings",
    "check_tiers",
    "make_settings",
]

SETTINGS: Mapping[str, type[CommonSettings]] = {
    "rlcs": RlcsSettings,
    "posterior": PosteriorSettings,
    "frontier": FrontierSettings,
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
