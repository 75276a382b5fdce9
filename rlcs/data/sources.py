"""Raw rows of a source, each with the location that an error message names.

JSONL is read here, line by line: ``datasets`` does not say on which line a file is broken,
turns a column of ``"2024-05-01"`` into timestamps and refuses long whole numbers, and a
reference must reach its verifier as it was written. Parquet files and hub ids, which carry
their types, go through ``datasets``.

reasoning-gym's problems are taken with their answer as the reference, and the domain's own
verifier judges them. Its scorers are not used: several evaluate the text of the answer, and
that text is the model's.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from rlcs.config import SourceSection
from rlcs.errors import DatasetError, PackageMissingError


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row as its source holds it."""

    location: str
    """The file and line of the row: ``train.jsonl:12``, ``train.parquet row 12``."""
    values: dict[str, Any]
    """Column → value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRows:
    """The rows of a source that could be read, and a sentence for each that could not."""

    rows: list[Row]
    bad_rows: list[str] = field(default_factory=list)


def read_rows(source: SourceSection) -> SourceRows:
    """Read the rows of ``source``, the first ``limit`` of them if it has a limit.

    Raises:
        DatasetError: the source cannot be read at all, or holds no rows.
        PackageMissingError: reasoning-gym is needed and not installed.
    """
    if source.reasoning_gym is not None:
        found = SourceRows(rows=_generate(source, source.reasoning_gym))
    elif source.hub is not None:
        found = SourceRows(rows=_read_hub(source, source.hub))
    else:
        assert source.path is not None
        found = _read_file(source, Path(source.path))
    if not found.rows and not found.bad_rows:
        raise DatasetError(f"{source.name}: expected rows, found none.")
    return found


def _read_file(source: SourceSection, path: Path) -> SourceRows:
    if not path.exists():
        raise DatasetError(
            f"{path}: expected a JSONL or Parquet file, found nothing there "
            f"(looked in {Path.cwd()})."
        )
    if path.suffix not in (".jsonl", ".parquet") or not path.is_file():
        found = "a folder" if path.is_dir() else f"a file ending in {path.suffix!r}"
        raise DatasetError(f"{path}: expected a .jsonl or .parquet file, found {found}.")
    if path.suffix == ".jsonl":
        return _read_jsonl(path, source.limit)
    return SourceRows(rows=_read_parquet(source, path))


def _read_jsonl(path: Path, limit: int | None) -> SourceRows:
    rows: list[Row] = []
    bad_rows: list[str] = []
    with path.open("rb") as file:
        lines = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
        for number, line in islice(lines, limit):
            location = f"{path}:{number}"
            try:
                rows.append(Row(location=location, values=_parse_line(line)))
            except (ValueError, RecursionError) as error:
                bad_rows.append(f"{location}: expected one JSON object, found {error}.")
    return SourceRows(rows=rows, bad_rows=bad_rows)


def _parse_line(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"broken JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(values, dict):
        raise ValueError(f"a {type(values).__name__}")
    if b"\\ud" in line.lower():  # half of a surrogate pair is JSON, but no tokenizer reads it
        json.dumps(values, ensure_ascii=False).encode()
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is not JSON")


def _read_parquet(source: SourceSection, path: Path) -> list[Row]:
    import datasets

    # Streamed, so that the file is not copied into a cache first.
    return _rows_of(
        source,
        lambda: datasets.load_dataset(
            "parquet", data_files=str(path), split="train", streaming=True
        ),
    )


def _read_hub(source: SourceSection, hub_id: str) -> list[Row]:
    import datasets

    return _rows_of(
        source,
        lambda: datasets.load_dataset(
            hub_id, source.subset, split=source.split
        ).to_iterable_dataset(),
    )


def _rows_of(source: SourceSection, load: Any) -> list[Row]:
    from datasets.exceptions import DatasetsError

    try:
        dataset = load()
        columns = wanted_columns(source)
        missing = [name for name in columns if name not in dataset.features]
        if missing:
            raise DatasetError(
                f"{source.name}: expected the columns {', '.join(columns)}, "
                f"found {', '.join(dataset.features)}. Name the columns under columns."
            )
        # Other columns are never read, and pictures stay encoded.
        chosen = dataset.select_columns(columns).decode(False)
        values = islice(chosen, source.limit)
        return [
            Row(location=f"{source.name} row {number}", values=row)
            for number, row in enumerate(values, start=1)
        ]
    except DatasetError:
        raise
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        raise DatasetError(f"{source.name}: expected a data set, found {error}") from error


def wanted_columns(source: SourceSection) -> list[str]:
    """The names of the columns that are read from each row of ``source``."""
    columns = source.columns.model_dump()
    if columns["messages"] is not None:
        columns["question"] = None
    return sorted({name for name in columns.values() if name is not None})


def _generate(source: SourceSection, task: str) -> list[Row]:
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
    return [
        Row(
            location=f"{source.name} entry {number}",
            values={"question": entry["question"], "answer": entry["answer"]},
        )
        for number, entry in enumerate(entries)
    ]


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
