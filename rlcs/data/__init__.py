"""Data sets as problems, and problems as the model reads them.

Importing this package is cheap: ``datasets``, ``transformers`` and ``reasoning_gym`` are
imported when they are first needed.
"""

from rlcs.data.load import LoadedData, load_data
from rlcs.data.problem_set import load_problems
from rlcs.data.references import check_references
from rlcs.data.render import Renderer

__all__ = ["LoadedData", "Renderer", "check_references", "load_data", "load_problems"]
