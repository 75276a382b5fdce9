"""A state that is damaged or made up is refused, and nothing else is raised."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from worlds import make, run

from curricula import SETTINGS, StateError
from curricula.plain import pack, unpack

WRONG: list[Any] = [
    *(None, True, -5, 2**70, 0.5, float("nan"), "text", b"bytes", [], [1, [2]], {}, {"a": 1}),
    *({3: "x"}, np.zeros(0), np.zeros(2), np.array([-1, 10**6]), np.zeros((2, 2), np.int64)),
]
"""What may stand where something else belongs."""


def saved(kind: str, **settings: Any) -> dict[str, Any]:
    curriculum = make(kind, 200, **settings)
    run(curriculum, range(6))
    state: dict[str, Any] = unpack(pack(curriculum.state_dict()))
    return state


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a state."""
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in items:
            yield from places(each, (*path, name))


def changed(state: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of `state` with another value at `path`."""
    other = copy.deepcopy(state)
    here = other
    for name in path[:-1]:
        here = here[name]
    here[path[-1]] = value
    return other


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *((kind, {}) for kind in sorted(SETTINGS)),
        ("rlcs", {"domains": "progress"}),
        ("posterior", {"expansion": "predicted"}),
    ],
)
@pytest.mark.parametrize("reconcile", [False, True])
def test_a_wrong_value_anywhere_is_a_state_error_or_loads(
    kind: str, settings: dict[str, Any], reconcile: bool
) -> None:
    state, randomly = saved(kind, **settings), random.Random(kind)
    refused = 0
    every = list(places(state))
    for path in randomly.sample(every, min(len(every), 120)):
        value = randomly.choice(WRONG)
        if reconcile and path == ("problems",):
            continue
        try:
            make(kind, 200, **settings).load_state_dict(
                changed(state, path, value), reconcile=reconcile
            )
        except StateError:
            refused += 1
    assert refused > 40


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_numbers_changed_within_arrays(kind: str) -> None:
    """Indices out of range, twice the same, NaN: what loads can also draw."""
    state, randomly = saved(kind), random.Random(kind)
    rows = [path for path in places(state) if isinstance(_at(state, path), np.ndarray)]
    for _ in range(150):
        path = randomly.choice(rows)
        array = _at(state, path).copy()
        if not array.size:
            continue
        extreme = [0, 1, -1, 10**9, float("nan"), float("inf")]
        with np.errstate(all="ignore"):
            array.flat[randomly.randrange(array.size)] = np.array(randomly.choice(extreme)).astype(
                array.dtype
            )
        curriculum = make(kind, 200)
        try:
            curriculum.load_state_dict(changed(state, path, array))
        except StateError:
            continue
        drawn = curriculum.draw(16, step=6)
        assert all(0 <= draw.probability <= 1 for draw in drawn), path


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("step",), 1.5, "step: expected int"),
        (("chooser",), {"cursor": 1}, r"chooser: expected the names \(none\)"),
        (("pacing", "average"), float("inf"), r"pacing\.average: expected a finite number"),
        (("awaited",), {"nobody": 3}, "awaited: expected problems of this problem set"),
        (("carried",), {"p1": 10**6}, "carried: expected problems of this problem set"),
        (("recent",), {5: np.array([200])}, r"recent\[5\]: expected indices of 200 problems"),
        (("rng", "bit_generator"), "MT19937", "rng: expected the state of a PCG64"),
        (("rng", "state"), np.array([-1, 9]), "rng: expected the state of a PCG64"),
        (("history", "seen"), np.zeros(0, np.int32), r"history\.segments: expected 0 numbers"),
        (("seen_ids", "text"), b"\xff", "seen_ids: expected"),
        (("categories",), [["a"]], "categories: expected pairs"),
    ],
)
def test_the_message_says_where_and_what(path: Any, value: Any, why: str) -> None:
    with pytest.raises(StateError, match=why):
        make("rlcs", 200).load_state_dict(changed(saved("rlcs"), path, value))


def test_a_bucket_that_is_no_partition_is_refused() -> None:
    state = saved("rlcs")
    members = state["history"]["buckets"]["members"]
    twice = np.full_like(members, members[0])
    with pytest.raises(StateError, match="every problem in one bucket"):
        make("rlcs", 200).load_state_dict(changed(state, ("history", "buckets", "members"), twice))


@pytest.mark.parametrize("state", [None, 3, [], {}, "state"])
def test_what_is_no_state_at_all(state: Any) -> None:
    with pytest.raises(StateError, match="expected a"):
        make("rlcs", 200).load_state_dict(state)


def _at(state: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        state = state[name]
    return state
