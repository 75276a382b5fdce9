"""Whose state is it: telling, refusing, and taking over what still fits.

A state is exact only for the problems it was saved for. For others it can be reconciled on request.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.errors import StateError, listed
from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.ids import IdTable, split
from curricula.knowledge.problems import Roster
from curricula.knowledge.tiers import Indices

STATE_VERSION = 2


def identity(
    kind: str, parts: Sequence[object], history: PassRateHistory, roster: Roster
) -> dict[str, Any]:
    """What a state must have in common with the curriculum that loads it.

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
    state: dict[str, Any], expected: dict[str, Any], roster: Roster, *, reconcile: bool
) -> bool:
    """Whether the problems are others; StateError when the state cannot be used as asked."""
    for name in ("version", "kind", "tiers", "parts"):
        if state.get(name) != expected[name]:
            raise StateError(
                f"expected a state with {name} = {expected[name]}, found {state.get(name)}; "
                f"load it into a curriculum with the same {name}, or start afresh from its "
                "difficulty table"
            )
    if absent := sorted(_WHOLE - set(state)):
        raise StateError(
            f"expected a whole state, found one without {listed(absent)}; save it as "
            "`state_dict` returned it"
        )
    same = state["problems"] == expected["problems"]
    # Without texts on either side nothing tells that one was edited.
    edited = bool(state["contents"] and expected["contents"]) and (
        state["contents"] != expected["contents"]
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
    *("carried", "counts", "in_step"),
}


def _difference(state: dict[str, Any], roster: Roster, *, same: bool) -> str:
    """What is different, as far as the observed problems tell."""
    names = unpacked(state["seen_ids"])
    where = roster.ids.find(names)
    gone = [names[place] for place in np.flatnonzero(where < 0)]
    edited = [
        names[place] for place in np.flatnonzero(_edited(state["seen_contents"], roster, where))
    ]
    what = "texts" if same else "ids, categories, tiers of offline pass rates or texts"
    return (
        f"{what} differ; of its {len(names)} observed problems {len(gone)} are not here"
        f"{': ' + listed(gone) if gone else ''}, {len(edited)} were edited"
        f"{': ' + listed(edited) if edited else ''}"
    )


def _edited(saved: NDArray[np.uint32] | None, roster: Roster, where: Indices) -> NDArray[np.bool_]:
    """Which of the problems of these saved fingerprints are here (`where` >= 0) with another."""
    if saved is None or roster.contents is None:
        return np.zeros(len(where), dtype=bool)
    return np.asarray((where >= 0) & (saved != roster.contents[where]))


def packed(ids: IdTable, indices: Indices) -> dict[str, Any]:
    """Ids as one text and their lengths: a saved state must not hold millions of objects."""
    text, lengths = ids.joined(indices)
    return {"text": text, "lengths": lengths}


def unpacked(state: dict[str, Any]) -> list[str]:
    """Undo `packed`."""
    return split(state["text"], state["lengths"])


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
    edited = _edited(state["seen_contents"], roster, where)
    here = (where >= 0) & ~edited
    history.start_anew()
    history.take(
        where[here],
        passes=saved["passes"][here],
        failures=saved["failures"][here],
        last_step=saved["last_step"][here],
        segments=saved["segments"][here].astype(np.int64),
    )
    place = {tuple(pair): row for row, pair in enumerate(state["categories"])}
    rows = np.array([place.get(pair, -1) for pair in roster.categories])
    rates = saved["rates"]
    kept = rates["sums"][:, np.maximum(rows, 0)] * (rows >= 0)[None, :, None]
    history.rates.restore({"sums": kept, "step": rates["step"]})
    awaited = list(state["awaited"])
    changed = _edited(state["awaited_contents"], roster, roster.ids.find(awaited))
    return int((where < 0).sum()), {
        *(names[place] for place in np.flatnonzero(edited)),
        *(awaited[place] for place in np.flatnonzero(changed)),
    }
