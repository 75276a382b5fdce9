"""Taking over from a state of another problem set what still fits."""

from typing import Any

import numpy as np

from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.ids import unpacked
from curricula.knowledge.problems import Roster


def transfer(
    history: PassRateHistory, roster: Roster, state: dict[str, Any]
) -> tuple[int, set[str]]:
    """Take over what `state` knows about problems and categories that are still here.

    By problem id and by (domain, category) name; everything else starts unseen, also problems
    whose text was edited. The order within buckets is not that of the saved run, so the draws
    will differ. Returns how many observed problems are no longer here, and which observed or
    awaited ones were edited.
    """
    saved = state["history"]
    names = unpacked(state["seen_ids"])
    where = roster.ids.find(names)
    edited = roster.edited(state["seen_contents"], where)
    here = (where >= 0) & ~edited
    history.start_anew()
    row_of = {tuple(pair): row for row, pair in enumerate(state["categories"])}
    rows = np.array([row_of.get(pair, -1) for pair in roster.categories])
    history.rates.restore_rows(saved["rates"], rows)
    history.take_saved(where[here], saved, here)
    awaited = list(state["awaited"])
    changed = roster.edited(state["awaited_contents"], roster.ids.find(awaited))
    return int((where < 0).sum()), {
        *(names[index] for index in np.flatnonzero(edited)),
        *(awaited[index] for index in np.flatnonzero(changed)),
    }
