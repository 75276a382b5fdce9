"""Data sets as problems, and problems as the model reads them.

Importing this package is cheap: ``datasets``, ``transformers`` and ``reasoning_gym`` are
imported when they are first needed.
"""

from rlcs.data.facts import described
from rlcs.data.faults import Fault, write_dropped
from rlcs.data.load import LoadedData, load_data
from rlcs.data.problem_list import Problems, most_shown
from rlcs.data.problem_set import load_problems
from rlcs.data.references import reference_faults
from rlcs.data.render import Renderer

__all__ = [
    "Fault",
    "LoadedData",
    "Problems",
    "Renderer",
    "described",
    "load_data",
    "load_problems",
    "most_shown",
    "reference_faults",
    "write_dropped",
]
