"""The ids of problems: given by their rows, or made from their content and told apart by a number.

All of it is done on Arrow and numpy arrays: tens of millions of ids would be tens of millions of
objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula import IdTable

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Names:
    """Ids of n rows, and which of them repeat another's."""

    texts: Any
    """Arrow large_string [n]"""
    repeats: dict[int, int] = field(default_factory=dict)
    """Row → the earlier row that has its id; of those whose id may not repeat."""


def name_all(keys: NDArray[np.uint64], given: Any | None, may_repeat: NDArray[np.bool_]) -> Names:
    """The ids of n rows by their ``keys``.

    ``given`` (Arrow large_string [n]) are the ids that rows give themselves, null where one is
    made; None where all are. A made id that comes again gets a number, where ``may_repeat`` [n]
    says so.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    made = np.ones(len(keys), dtype=bool)
    texts = _hex_texts(keys)
    if given is not None:
        made = pc.is_null(given).to_numpy(zero_copy_only=False)
        texts = pc.if_else(pa.array(made), texts, given)
    repeats: dict[int, int] = {}
    new: dict[int, str] = {}
    taken: set[str] = set()
    for rows in _twins(keys, texts):
        first = rows[0]
        number = 1
        name = texts[first].as_py()
        for row in rows[1:]:
            if not (made[row] and may_repeat[row]):
                repeats[row] = first
                continue
            number += 1
            new[row] = f"{name}-{number}"
            taken.add(new[row])
    if new and not made.all():
        _step_aside(new, texts, taken)
    if new:
        at = np.zeros(len(keys), dtype=bool)
        at[list(new)] = True
        values = pa.array([new[row] for row in sorted(new)], pa.large_string())
        texts = pc.replace_with_mask(texts, pa.array(at), values)
    return Names(texts=texts, repeats=repeats)


def id_table(texts: Any) -> tuple[IdTable, NDArray[np.int64]]:
    """What ``IdTable.build`` returns, of an Arrow large_string array without nulls."""
    import pyarrow as pa

    texts = pa.concat_arrays([texts])  # without what stands before and behind it
    _, offsets, text = texts.buffers()
    count = len(texts)
    starts = np.frombuffer(offsets, dtype=np.int64, count=count + 1, offset=8 * texts.offset)
    size = int(starts[-1])
    content = np.frombuffer(text, dtype=np.uint8, count=size) if size else np.zeros(0, np.uint8)
    return IdTable.build_joined(content[starts[0] :], starts - starts[0])


def _hex_texts(keys: NDArray[np.uint64]) -> Any:
    """16 hexadecimal digits of each key."""
    import pyarrow as pa

    octets = keys.astype(">u8").view(np.uint8)
    digits = np.empty((len(octets), 2), dtype=np.uint8)
    digits[:, 0], digits[:, 1] = _HEX[octets >> 4], _HEX[octets & 15]
    offsets = np.arange(len(keys) + 1, dtype=np.int64) * 16
    return pa.LargeStringArray.from_buffers(
        len(keys), pa.py_buffer(offsets), pa.py_buffer(digits.reshape(-1))
    )


def _twins(keys: NDArray[np.uint64], texts: Any) -> Sequence[list[int]]:
    """The rows that share an id, each time all of them in their order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(same):
        return []
    breaks = np.flatnonzero(np.diff(same) > 1)
    starts = np.concatenate([same[:1], same[breaks + 1]])
    ends = np.concatenate([same[breaks], same[-1:]]) + 2
    groups: list[list[int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        by_text: dict[str, list[int]] = {}
        for row in order[start:end].tolist():
            by_text.setdefault(texts[row].as_py(), []).append(row)
        groups += [rows for rows in by_text.values() if len(rows) > 1]
    return groups


def _step_aside(new: dict[int, str], texts: Any, taken: set[str]) -> None:
    """Give those made ids another number that a row was given."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(taken), pa.large_string())
    clashes = set(texts.filter(pc.is_in(texts, value_set=wanted)).to_pylist())
    every = set(texts.to_pylist()) | taken if clashes else set()
    for row, name in new.items():
        if name in clashes:
            stem, _, number = name.rpartition("-")
            further = int(number)
            while name in every:
                further += 1
                name = f"{stem}-{further}"
            new[row] = name
            every.add(name)
