"""Published samplers as baselines for studies, behind the one interface; not for production.

Each is small, and its class says where its rule comes from and what could not be verified. They
cost time in proportion to the number of problems at every draw, which is why they live here.
`make_study_curriculum` makes one by its name, `study/mopps` and so on; the history of pass rates,
the bookkeeping, the selection of the most balanced valid groups and the saved state are those of
every other curriculum, so that a comparison compares the choice and nothing else.
"""

from curricula.study.samplers.making import make_any_curriculum, make_study_curriculum
from curricula.study.samplers.settings import STUDY_SETTINGS, any_settings

__all__ = ["STUDY_SETTINGS", "any_settings", "make_any_curriculum", "make_study_curriculum"]
