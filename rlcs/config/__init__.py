"""The configuration as strict, frozen pydantic models: one tree, checked before anything starts.

``rlcs train`` reads a ``RunConfig``, ``rlcs sft`` an ``SftConfig`` and ``rlcs grade`` a
``GradeConfig``; ``load_config`` makes any of them from a YAML file.
"""

from rlcs.config.cluster import FaultsSection, HardwareSection, ScheduleSection
from rlcs.config.curriculum import CurriculumSection
from rlcs.config.data import (
    ColumnsSection,
    DataSection,
    DifficultySection,
    SourceSection,
    TrainingDataSection,
    VideoSection,
)
from rlcs.config.grade import EndpointSection, GradeConfig, GradedModelSection, GradeSection
from rlcs.config.learner import (
    LearnerSection,
    LoraSection,
    OptimiserSection,
    RanksSection,
    TrainedSection,
)
from rlcs.config.loading import config_differences, config_schema, load_config, write_config
from rlcs.config.model import ImageTokensSection, ModelSection
from rlcs.config.objective import PRESETS, CorrectionSection, KlSection, ObjectiveSection
from rlcs.config.rollout import RolloutSection, VllmSection
from rlcs.config.run import EvaluationSection, RunConfig, RunSection, TrackingSection
from rlcs.config.scoring import DomainScoringSection, ScoringSection
from rlcs.config.sft import SftConfig, SftSection

__all__ = [
    "PRESETS",
    "ColumnsSection",
    "CorrectionSection",
    "CurriculumSection",
    "DataSection",
    "DifficultySection",
    "DomainScoringSection",
    "EndpointSection",
    "EvaluationSection",
    "FaultsSection",
    "GradeConfig",
    "GradeSection",
    "GradedModelSection",
    "HardwareSection",
    "ImageTokensSection",
    "KlSection",
    "LearnerSection",
    "LoraSection",
    "ModelSection",
    "ObjectiveSection",
    "OptimiserSection",
    "RanksSection",
    "RolloutSection",
    "RunConfig",
    "RunSection",
    "ScheduleSection",
    "ScoringSection",
    "SftConfig",
    "SftSection",
    "SourceSection",
    "TrackingSection",
    "TrainedSection",
    "TrainingDataSection",
    "VideoSection",
    "VllmSection",
    "config_differences",
    "config_schema",
    "load_config",
    "write_config",
]
