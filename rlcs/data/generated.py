"""Problems that the package reasoning-gym makes.

They are taken with their answer as the reference, and the domain's own verifier judges them. The
package's scorers are not used: several evaluate the text of the answer, and that text is the
model's.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import json
from collections.abc import Iterator
from typing import Any

from rlcs.config import SourceSection
from rlcs.data.stores import LineStore, Mapped
from rlcs.data.text_files import line_schema
from rlcs.errors import DatasetError, PackageMissingError


def generate(source: SourceSection, task: str) -> LineStore:
    """The problems of ``task``, made anew; the same for the same source.

    Raises:
        DatasetError: there is no such task, or it refuses its knobs.
        PackageMissingError: reasoning-gym is not installed.
    """
    import pyarrow as pa

    try:
        factory = importlib.import_module("reasoning_gym.factory")
    except ImportError:
        raise PackageMissingError(
            f"{source.name}: expected the package reasoning-gym, found it not installed. "
            "Install it: pip install 'rlcs[reasoning-gym]'"
        ) from None
    _check_task(factory.DATASETS, source, task)
    size = min(source.size, source.limit or source.size)
    try:
        entries = list(_entries(factory, task, size, source))
    except Exception as error:  # what a task raises about its knobs is for the user to read
        raise DatasetError(f"{source.name}: the task refuses its knobs: {error}") from error
    unanswered = sum(not isinstance(entry["answer"], str) for entry in entries)
    if unanswered:
        raise DatasetError(
            f"{source.name}: expected an answer to each problem, found {unanswered} of {size} "
            "without. Such a task has only its own scorer, which is not used here."
        )
    lines = [
        json.dumps({"question": entry["question"], "answer": entry["answer"]}).encode()
        for entry in entries
    ]
    columns = [[0] * len(lines), range(len(lines)), lines, [None] * len(lines)]
    schema = line_schema()
    table = pa.Table.from_arrays(
        [pa.array(values, each.type) for values, each in zip(columns, schema, strict=True)],
        schema=schema,
    )
    return LineStore(Mapped(table), [source.name], limit=None, mark=" entry ")


def _entries(factory: Any, task: str, size: int, source: SourceSection) -> Iterator[Any]:
    dataset = factory.create_dataset(task, size=size, seed=source.seed, **source.knobs)
    return (dataset[index] for index in range(size))


def _check_task(tasks: dict[str, Any], source: SourceSection, task: str) -> None:
    if task not in tasks:
        near = difflib.get_close_matches(task, tasks, n=3, cutoff=0.4) or sorted(tasks)
        raise DatasetError(
            f"reasoning_gym: expected a task of the package, found {task!r}. "
            f"Nearest: {', '.join(near)}."
        )
    _, config_class = tasks[task]
    # size and seed are keys of the source.
    known = [knob.name for knob in dataclasses.fields(config_class)]
    known = [name for name in known if name not in ("size", "seed")]
    unknown = [name for name in source.knobs if name not in known]
    if unknown:
        raise DatasetError(
            f"{source.name}: expected knobs of the task, found {', '.join(unknown)}. "
            f"Known knobs: {', '.join(known)}."
        )
