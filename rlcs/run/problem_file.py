"""``problems.parquet``: what a run asks, so that its folder can be read where its data is not.

Of very many problems the file says who they are and leaves their texts out, which would be read
from the data, and written, at every start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rlcs.data import Problems, described
from rlcs.files import whole, writing
from rlcs.types import Problem

PROBLEMS_NAME = "problems.parquet"
MOST_TEXTS = 50_000
"""Of so many problems at most the texts are written."""
_ROWS_AT_ONCE = 10_000


def write_problems(
    folder: Path,
    *,
    train: Problems | Sequence[Problem],
    heldout: Problems | Sequence[Problem] = (),
) -> None:
    """Write a row a problem into the run folder; pictures by the name of their file alone.

    Raises:
        StorageError: the disk does not take it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("problem_id", "split", "domain", "category")),
            ("prior_pass_rate", pa.float64()),
            *((name, pa.string()) for name in ("question", "messages", "reference", "images")),
        ]
    )
    with (
        writing("the problems of the run", folder),
        whole(folder / PROBLEMS_NAME) as partial,
        pq.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        few = len(train) + len(heldout) <= MOST_TEXTS
        for split, problems in (("train", train), ("heldout", heldout)):
            if few or not isinstance(problems, Problems):
                rows = _rows(split, problems)
                while part := list(islice(rows, _ROWS_AT_ONCE)):
                    writer.write_table(pa.Table.from_pylist(part, schema=schema))
            else:
                for start in range(0, len(problems), _ROWS_AT_ONCE):
                    writer.write_table(_without_texts(split, problems, start, schema))


def _without_texts(split: str, problems: Problems, start: int, schema: Any) -> Any:
    """Who the next problems from ``start`` are."""
    import pyarrow as pa

    positions = np.arange(start, min(len(problems), start + _ROWS_AT_ONCE))
    pairs = [problems.columns.categories[code] for code in problems.columns.codes[positions]]
    rates = problems.columns.rates[positions]
    known = {
        "problem_id": problems.ids(positions),
        "split": [split] * len(positions),
        "domain": [domain for domain, _ in pairs],
        "category": [category for _, category in pairs],
        "prior_pass_rate": pa.array(rates, mask=np.isnan(rates)),
    }
    nothing = [None] * len(positions)
    return pa.table({name: known.get(name, nothing) for name in schema.names}, schema=schema)


def _rows(split: str, problems: Problems | Sequence[Problem]) -> Iterator[dict[str, Any]]:
    told = (
        problems.described()
        if isinstance(problems, Problems)
        else ((problem, described(problem.images)) for problem in problems)
    )
    for problem, pictures in told:
        yield {
            "problem_id": problem.problem_id,
            "split": split,
            "domain": problem.domain,
            "category": problem.category,
            "prior_pass_rate": problem.prior_pass_rate,
            "question": problem.question,
            "messages": json.dumps(problem.messages, ensure_ascii=False),
            "reference": json.dumps(problem.reference, ensure_ascii=False, default=str),
            "images": pictures,
        }
