"""The views, in the order of the menu."""

from rlcs.dashboard.views import (
    alarms,
    calibration,
    detective,
    learned,
    next_draw,
    overview,
    problem,
    problems,
    river,
    system,
    verifiers,
    waste,
    what_if,
)
from rlcs.dashboard.views.view import View

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        *(overview.VIEW, alarms.VIEW, river.VIEW, problems.VIEW, problem.VIEW, next_draw.VIEW),
        *(waste.VIEW, learned.VIEW, detective.VIEW, calibration.VIEW, verifiers.VIEW),
        *(system.VIEW, what_if.VIEW),
    )
}
"""By the name that stands in the address."""

__all__ = ["VIEWS", "View"]
