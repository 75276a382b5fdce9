"""What can go wrong in a curriculum, as exceptions.

    ValueError
      CurriculumError            anything a caller can put right
        SettingsError            a setting, a problem set or an argument that makes no sense
        UnknownProblemError      a problem id that is not in the problem set
        ObservationError         a result whose counts contradict each other
        StateError               a saved state that does not belong to this curriculum
          DamagedStateError      what is no state at all, or no longer
        TableError               a difficulty table that does not fit the problem set

Events that are not the caller's mistake (a step without a valid group, a quota that could not be
met) raise nothing: they are counted and appear in `Curriculum.metrics()`.
"""

from collections.abc import Iterable


class CurriculumError(ValueError):
    """The root of everything this package raises on purpose."""


class SettingsError(CurriculumError):
    """A setting, a problem set or an argument that makes no sense."""


class UnknownProblemError(CurriculumError):
    """A problem id that is not in the problem set."""


class ObservationError(CurriculumError):
    """A result whose counts contradict each other."""


class StateError(CurriculumError):
    """A saved state that does not belong to this curriculum."""


class DamagedStateError(StateError):
    """What is no state of a curriculum at all, or no longer: damaged, or made up."""


class TableError(CurriculumError):
    """A difficulty table that does not fit the problem set."""


def listed(names: Iterable[str], limit: int = 5) -> str:
    """The first few names, quoted, and how many more there are: for error messages."""
    every = list(names)
    shown = ", ".join(repr(name) for name in every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"
