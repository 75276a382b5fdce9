"""The views, in the order of the menu."""

from rlcs.dashboard.views import overview, problem, problems
from rlcs.dashboard.views.view import View

VIEWS: dict[str, View] = {view.name: view for view in (overview.VIEW, problems.VIEW, problem.VIEW)}
"""By the name that stands in the address."""

__all__ = ["VIEWS", "View"]
