"""Whose state is it: telling, refusing, and taking over what still fits.

A state is exact only for the problems it was saved for. For others it can be reconciled on request.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from curricula.errors import StateError, listed
from curricula.history import PassRateHistory
from curricula.ids import IdTable

STATE_VERSION = 1


def identity(
    kind: str, history: PassRateHistory, ids: IdTable, categories: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """What a state must have in common with the curriculum that loads it."""
    digest = hashlib.blake2b(ids.digest() + str(categories).encode(), digest_size=16)
    digest.update(history.initial_buckets().data)
    return {
        "version": STATE_VERSION,
        "kind": kind,
        "tiers": history.tiers.describe(),
        "num_problems": len(ids),
        "problems": digest.hexdigest(),
    }


def differs(
    state: dict[str, Any], expected: dict[str, Any], ids: IdTable, *, reconcile: bool
) -> bool:
    """Whether the problems are others; StateError when the state cannot be used as asked."""
    for name in ("version", "kind", "tiers"):
        if state.get(name) != expected[name]:
            raise StateError(
                f"expected a state with {name} = {expected[name]}, found {state.get(name)}; "
                f"load it into a curriculum with the same {name}, or start afresh from its "
                "difficulty table"
            )
    if state["problems"] == expected["problems"]:
        return False
    if reconcile:
        return True
    seen = unpacked(state["seen_ids"])
    gone = [seen[place] for place in np.flatnonzero(ids.find(seen) < 0)]
    raise StateError(
        f"expected the state of these {len(ids)} problems, found one of "
        f"{state['num_problems']} problems that are not the same (ids, categories or tiers of "
        f"offline pass rates differ); of its {len(seen)} observed problems {len(gone)} are not "
        f"here{': ' + listed(gone) if gone else ''}. Go on with the data set of the saved run, "
        "or say reconcile=True to take over what is known by problem id"
    )


def packed(ids: list[str]) -> dict[str, Any]:
    """Ids as one text and their lengths: a saved state must not hold millions of objects."""
    return {
        "text": "".join(ids),
        "lengths": np.fromiter(map(len, ids), dtype=np.uint32, count=len(ids)),
    }


def unpacked(state: dict[str, Any]) -> list[str]:
    """Undo `packed`."""
    ends = np.cumsum(state["lengths"], dtype=np.int64)
    starts = ends - state["lengths"]
    text = state["text"]
    return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def transfer(
    history: PassRateHistory,
    ids: IdTable,
    categories: Sequence[tuple[str, str]],
    state: dict[str, Any],
) -> int:
    """Take over what `state` knows about problems and categories that are still here.

    By problem id and by (domain, category) name; everything else starts unseen. The order within
    buckets is not that of the saved run, so the draws will differ. Returns how many problems with
    evidence are no longer here.
    """
    saved = state["history"]
    where = ids.find(unpacked(state["seen_ids"]))
    here = where >= 0
    history.start_anew()
    history.take(
        where[here],
        passes=saved["passes"][here],
        failures=saved["failures"][here],
        last_step=saved["last_step"][here],
        segments=saved["segments"][here].astype(np.int64),
    )
    place = {tuple(pair): row for row, pair in enumerate(state["categories"])}
    rows = np.array([place.get(pair, -1) for pair in categories])
    rates = saved["rates"]
    kept = rates["sums"][:, np.maximum(rows, 0)] * (rows >= 0)[None, :, None]
    history.rates.restore({"sums": kept, "step": rates["step"]})
    return int((~here).sum())
