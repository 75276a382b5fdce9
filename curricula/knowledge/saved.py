"""Whether a saved state is one: its form first, then whether its numbers fit the problems.

A state may be damaged, or come from somebody else. It is compared with the state of the very
curriculum that loads it: the same names, types and kinds of numbers, sizes that agree, problems
that exist. Whatever passes can be loaded without an error; whether its numbers are *right* nobody
can tell.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from curricula.errors import DamagedStateError
from curricula.knowledge.ids import IdTable, unpacked

_LEAST, _LARGEST = -1, 2**63 - 1
"""Bounds of every whole number of a state but those of the generator."""


def check_form(state: dict[str, Any], fresh: dict[str, Any]) -> None:
    """DamagedStateError unless `state` has the names and types of `fresh`; sizes may differ."""
    grown = ("awaited", "carried", "recent", "categories", "rng", "seen_ids")
    optional = ("seen_contents", "awaited_contents")
    for name, value in fresh.items():
        if name not in (*grown, *optional):
            _like(state[name], value, name, same_shape=False)
    for name in ("awaited", "carried"):
        _check(_is_mapping(state[name], str, int), name, "problems and their indices")
    _check(
        _is_mapping(state["recent"], int, np.ndarray)
        and all(_is_row(indices, "i") for indices in state["recent"].values()),
        "recent",
        "steps and the indices of their problems",
    )
    pairs = state["categories"]
    _check(
        isinstance(pairs, list)
        and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        and all(isinstance(name, str) for pair in pairs for name in pair),
        "categories",
        "pairs of a domain and a category",
    )
    _check_generator(state["rng"])
    _check_history(state["history"], state["seen_ids"])
    for name, number in (
        ("seen_contents", len(state["history"]["seen"])),
        ("awaited_contents", len(state["awaited"])),
    ):
        _check(
            state[name] is None or (_is_row(state[name], "u") and len(state[name]) == number),
            name,
            f"{number} fingerprints, or none",
        )
    for name, fresh_rates in fresh["history"]["rates"].items():
        if isinstance(fresh_rates, np.ndarray):
            shape = list(fresh_rates.shape)
            shape[fresh_rates.ndim > 1] = len(pairs)  # the axis of the categories
            _check(
                state["history"]["rates"][name].shape == tuple(shape),
                f"history.rates.{name}",
                f"those of {len(pairs)} categories",
            )


def check_fits(state: dict[str, Any], fresh: dict[str, Any], ids: IdTable) -> None:
    """DamagedStateError unless a state of good form fits the curriculum with these problems."""
    for name in ("chooser", "pacing", "calibration", "domains"):
        _like(state[name], fresh[name], name, same_shape=True)
    whole = [value for value in state["chooser"].values() if isinstance(value, int)]
    _check(min(whole, default=0) >= 0, "chooser", "no negative number")
    history, num = state["history"], len(ids)
    _like(history["rates"], fresh["history"]["rates"], "history.rates", same_shape=True)
    _check(
        len(history["buckets"]["starts"]) == len(fresh["history"]["buckets"]["starts"])
        and len(history["buckets"]["positions"]) == len(history["buckets"]["members"]),
        "history.buckets",
        "the buckets of these problems",
    )
    places = {
        "history.seen": history["seen"],
        "history.buckets.positions": history["buckets"]["positions"],
        "history.buckets.members": history["buckets"]["members"],
        **{f"recent[{step}]": indices for step, indices in state["recent"].items()},
    }
    for where, indices in places.items():
        inside = indices.size == 0 or (indices.min() >= 0 and indices.max() < num)
        _check(bool(inside), where, f"indices of {num} problems")
    for name in ("awaited", "carried"):
        known = ids.find(list(state[name])).tolist()
        _check(
            known == list(state[name].values()) and -1 not in known,
            name,
            "problems of this problem set, each with its index",
        )


def _check_history(history: dict[str, Any], seen_ids: Any) -> None:
    num = len(history["seen"])
    for name in (each for each in history if each not in ("buckets", "rates", "seen")):
        _check(len(history[name]) == num, f"history.{name}", f"{num} numbers, one a problem seen")
    for name in ("segments", "passes", "failures", "last_step", "doubt"):
        _check(
            name not in history or bool((history[name] >= 0).all()),
            f"history.{name}",
            "no negative number",
        )
    _check(len(np.unique(history["seen"])) == num, "history.seen", "each problem once")
    rates = history["rates"]
    for name in ("sums", "doubt", "spread", "prices"):
        _check(
            name not in rates or bool((rates[name] >= 0).all()),
            f"history.rates.{name}",
            "no negative number",
        )
    _check(
        isinstance(seen_ids, dict)
        and set(seen_ids) == {"text", "lengths"}
        and isinstance(seen_ids["text"], bytes)
        and _is_row(seen_ids["lengths"], "u")
        and len(seen_ids["lengths"]) == num
        and int(seen_ids["lengths"].sum()) == len(seen_ids["text"]),
        "seen_ids",
        f"{num} problem ids end to end",
    )
    try:
        unpacked(seen_ids)
    except UnicodeDecodeError as error:
        raise DamagedStateError(f"seen_ids: expected text in UTF-8, found {error}") from error


def _check_generator(state: Any) -> None:
    """Try it on a generator that nobody uses."""
    try:
        np.random.PCG64().state = state
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise DamagedStateError(
            f"rng: expected the state of a PCG64 generator, found another one ({error})"
        ) from error


def _like(found: Any, fresh: Any, where: str, *, same_shape: bool) -> None:
    """DamagedStateError unless `found` has the names, types and number types of `fresh`."""
    for at, value, expected in _pairs(found, fresh, where):
        _check(type(value) is type(expected), at, type(expected).__name__)
        if isinstance(expected, np.ndarray):
            shown = f"{expected.shape if same_shape else f'[{expected.ndim}]'} {expected.dtype}"
            alike = value.dtype == expected.dtype and value.ndim == expected.ndim
            _check(alike and (not same_shape or value.shape == expected.shape), at, shown)
            _check(bool(np.isfinite(value).all()), at, "finite numbers")
        elif isinstance(expected, float):
            _check(bool(np.isfinite(value)), at, "a finite number")
        elif isinstance(expected, int):
            _check(_LEAST <= value <= _LARGEST, at, f"a number from {_LEAST} to 2**63 - 1")


def _pairs(found: Any, fresh: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """Every value of `fresh` that is no dictionary, beside the one at the same place."""
    if not isinstance(fresh, dict):
        yield where, found, fresh
        return
    _check(
        isinstance(found, dict) and set(found) == set(fresh),
        where,
        f"the names {', '.join(map(str, fresh)) or '(none)'}",
    )
    for name, value in fresh.items():
        yield from _pairs(found[name], value, f"{where}.{name}")


def _is_mapping(value: Any, key: type, item: type) -> bool:
    return isinstance(value, dict) and all(
        type(name) is key and type(each) is item for name, each in value.items()
    )


def _is_row(value: Any, kind: str) -> bool:
    """Whether it is an array [n] of whole numbers of this kind."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == kind


def _check(holds: bool, where: str, expected: str) -> None:
    if not holds:
        raise DamagedStateError(f"{where}: expected {expected}, found something else")
