"""Choosing the next problems of reinforcement learning from how often the model solves them.

Usable from any trainer: it speaks problem ids and counts, and needs numpy only. See README.md.
"""

from curricula.contract import (
    Curriculum,
    CurriculumProblem,
    Draw,
    Fate,
    GroupResult,
)
from curricula.curriculum import SamplingCurriculum
from curricula.errors import (
    CurriculumError,
    DamagedStateError,
    ObservationError,
    SettingsError,
    StateError,
    TableError,
    UnknownProblemError,
)
from curricula.factory import make_curriculum
from curricula.grades.difficulty_table import (
    DifficultyTable,
    Grades,
    read_difficulty_table,
    read_grades,
    write_difficulty_table,
    write_grades,
)
from curricula.grades.merging import label_pass_rate, merge_grades, with_labels
from curricula.knowledge.calibration import ReliabilityRow
from curricula.knowledge.ids import IdTable
from curricula.knowledge.problems import ProblemSet, fingerprint
from curricula.settings import (
    SETTINGS,
    AdaptiveSettings,
    CommonSettings,
    DapoSettings,
    FrontierSettings,
    HardStageSettings,
    PosteriorSettings,
    RlcsSettings,
    StaticSettings,
    UniformSettings,
    WeightedSettings,
)
from curricula.strict import Setting

__all__ = [
    "SETTINGS",
    "AdaptiveSettings",
    "CommonSettings",
    "Curriculum",
    "CurriculumError",
    "CurriculumProblem",
    "DamagedStateError",
    "DapoSettings",
    "DifficultyTable",
    "Draw",
    "Fate",
    "FrontierSettings",
    "Grades",
    "GroupResult",
    "HardStageSettings",
    "IdTable",
    "ObservationError",
    "PosteriorSettings",
    "ProblemSet",
    "ReliabilityRow",
    "RlcsSettings",
    "SamplingCurriculum",
    "Setting",
    "SettingsError",
    "StateError",
    "StaticSettings",
    "TableError",
    "UniformSettings",
    "UnknownProblemError",
    "WeightedSettings",
    "fingerprint",
    "label_pass_rate",
    "make_curriculum",
    "merge_grades",
    "read_difficulty_table",
    "read_grades",
    "with_labels",
    "write_difficulty_table",
    "write_grades",
]
