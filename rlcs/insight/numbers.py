"""The rows of ``steps.jsonl`` as columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from rlcs.run.log import flatten_numbers

_STEPS = pa.schema([("step", pa.int64()), ("time", pa.float64()), ("row", pa.string())])
_NUMBERS = pa.schema([("step", pa.int64()), ("name", pa.string()), ("value", pa.float64())])
_MOST_NUMBERS = 2_000
"""Of one row: a log from elsewhere may hold more than a trainer writes."""


def numbers_of(rows: Sequence[dict[str, Any]]) -> tuple[pa.Table, pa.Table]:
    """The tables ``steps`` and ``numbers``; a row without a step is left out."""
    steps: list[dict[str, Any]] = []
    names: list[str] = []
    values: list[float] = []
    of_step: list[int] = []
    for row in rows:
        step = row.get("step")
        if type(step) is not int or not 0 <= step < 2**53:
            continue
        try:
            numbers = flatten_numbers(row)
        except (RecursionError, OverflowError):
            continue
        kept = [
            (name, value)
            for name, value in numbers.items()
            if math.isfinite(value) and name not in ("step", "time")
        ][:_MOST_NUMBERS]
        names += [name for name, _ in kept]
        values += [value for _, value in kept]
        of_step += [step] * len(kept)
        moment = numbers.get("time", math.nan)
        steps.append({"step": step, "time": moment, "row": json.dumps(row)})
    table = pa.table({"step": of_step, "name": names, "value": values}, schema=_NUMBERS)
    return pa.Table.from_pylist(steps, schema=_STEPS), table
