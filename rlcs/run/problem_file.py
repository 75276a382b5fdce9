"""``problems.parquet``: what a run asks, so that its folder can be read where its data is not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rlcs.files import whole, writing
from rlcs.types import Image, Problem, Video

PROBLEMS_NAME = "problems.parquet"
_ROWS_AT_ONCE = 10_000


def write_problems(
    folder: Path, *, train: Iterable[Problem], heldout: Iterable[Problem] = ()
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
        rows = _rows(train, heldout)
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


def _rows(train: Iterable[Problem], heldout: Iterable[Problem]) -> Iterator[dict[str, Any]]:
    for split, problems in (("train", train), ("heldout", heldout)):
        for problem in problems:
            yield {
                "problem_id": problem.problem_id,
                "split": split,
                "domain": problem.domain,
                "category": problem.category,
                "prior_pass_rate": problem.prior_pass_rate,
                "question": problem.question,
                "messages": json.dumps(problem.messages, ensure_ascii=False),
                "reference": json.dumps(problem.reference, ensure_ascii=False, default=str),
                "images": json.dumps([_image(image) for image in problem.images]),
            }


def _image(shown: Image | Video) -> dict[str, Any]:
    """``file`` is where the picture lies, or the first of a video's files; None where it is within
    the data set's own rows."""
    first = shown.stored[0] if isinstance(shown, Video) else shown.stored
    return {
        "name": shown.name,
        "digest": shown.digest,
        "width": shown.width,
        "height": shown.height,
        "file": str(first) if isinstance(first, Path) else None,
    }
