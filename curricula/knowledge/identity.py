"""Whose state is it: what a saved state says of the problems it was saved for.

A state is exact only for these. For others it is refused, or reconciled on request (`reconcile`).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from curricula.errors import DamagedStateError, StateError, listed
from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.ids import unpacked
from curricula.knowledge.problems import Roster
from curricula.knowledge.saved import check_form

STATE_VERSION = 4


def identity(
    kind: str, parts: Sequence[object], history: PassRateHistory, roster: Roster
) -> dict[str, Any]:
    """Return what a state must have in common with the curriculum that loads it.

    `parts` are those whose class the settings decide; each saves what only its class can load.
    """
    digest = hashlib.blake2b(roster.ids.digest(), digest_size=16)
    digest.update(str(list(roster.categories)).encode())
    digest.update(history.initial_buckets().data)
    contents = roster.contents
    return {
        "version": STATE_VERSION,
        "kind": kind,
        "tiers": history.tiers.describe(),
        "parts": [type(part).__name__ for part in parts],
        "num_problems": len(roster.ids),
        "problems": digest.hexdigest(),
        "contents": "" if contents is None else hashlib.blake2b(contents.data).hexdigest()[:32],
    }


def differs(
    state: dict[str, Any], fresh: dict[str, Any], roster: Roster, *, reconcile: bool
) -> bool:
    """Return whether the problems are others; StateError when the state cannot be used so.

    `fresh` is the state of the curriculum that loads it.
    """
    if not isinstance(state, dict):
        raise DamagedStateError(f"expected a state, found {type(state).__name__}")
    for name in ("version", "kind", "tiers", "parts"):
        # As text, because anything may stand there, and arrays do not say whether they are equal.
        if repr(state.get(name)) != repr(fresh[name]):
            raise StateError(
                f"expected a state with {name} = {fresh[name]}, "
                f"found {str(state.get(name))[:200]}; "
                f"load it into a curriculum with the same {name}, or start afresh from its "
                "difficulty table"
            )
    if absent := sorted(_WHOLE - set(state)):
        raise DamagedStateError(
            f"expected a whole state, found one without {listed(absent)}; save it as "
            "`state_dict` returned it"
        )
    check_form(state, fresh)
    same = state["problems"] == fresh["problems"]
    # Without texts on either side nothing tells that one was edited.
    edited = bool(state["contents"] and fresh["contents"]) and (
        state["contents"] != fresh["contents"]
    )
    if same and not edited:
        return False
    if reconcile:
        return True
    raise StateError(
        f"expected the state of these {len(roster.ids)} problems, found one of "
        f"{state['num_problems']} problems that are not the same "
        f"({_difference(state, roster, same=same)}). Go on with the data set of the saved run, "
        "or say reconcile=True to take over what is known by problem id"
    )


_WHOLE = {
    *("categories", "history", "seen_ids", "seen_contents", "awaited", "awaited_contents"),
    *("chooser", "pacing", "calibration", "domains", "rng", "step", "draws_in_step", "recent"),
    *("carried", "counts", "in_step", "num_problems", "problems", "contents"),
}


def _difference(state: dict[str, Any], roster: Roster, *, same: bool) -> str:
    """What is different, as far as the observed problems tell."""
    names = unpacked(state["seen_ids"])
    where = roster.ids.find(names)
    gone = [names[index] for index in np.flatnonzero(where < 0)]
    edited = [
        names[index] for index in np.flatnonzero(roster.edited(state["seen_contents"], where))
    ]
    what = "texts" if same else "ids, categories, tiers of offline pass rates or texts"
    return (
        f"{what} differ; of its {len(names)} observed problems {len(gone)} are not here"
        f"{': ' + listed(gone) if gone else ''}, {len(edited)} were edited"
        f"{': ' + listed(edited) if edited else ''}"
    )
