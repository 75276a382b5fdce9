"""Rows of a benchmark, from the hub or a local folder, written as an ordinary data set of ours.

A row is a stranger's: a picture's file is looked up inside the folder alone, and every row that is
not laid out as its benchmark's rows are is named. What is written is ``questions.jsonl``, with the
pictures beside it under names made of their content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rlcs.cli.eval.layouts import LayoutError, Question
from rlcs.cli.eval.presets import Preset
from rlcs.data.images import BadImageError, digest_of, file_inside, read_file
from rlcs.errors import DatasetError, first_line
from rlcs.files import write_whole, writing

QUESTIONS_NAME = "questions.jsonl"
ENDINGS = (".parquet", ".jsonl", ".json")
MAX_SHOWN = 20

Located = tuple[str, Mapping[str, Any]]
"""Where a row is, and what it holds."""


def write_questions(
    preset: Preset, out: Path, *, data: Path | None, space: str, limit: int | None
) -> Path:
    """Write the benchmark's questions into ``out``; returns the file.

    ``data`` is the folder that holds benchmarks, each in a file or folder of its name; without it
    they come from the hub. ``limit`` is the number of rows to use.

    Raises:
        DatasetError: the rows cannot be had, or are not laid out as they should be.
        StorageError: the disk is full, read-only or gone.
    """
    rows = _hub_rows(preset) if data is None else _local_rows(preset, data)
    folder = _folder_of(preset, data)
    lines, problems = [], []
    with writing(f"the questions of {preset.name}", out):
        out.mkdir(parents=True, exist_ok=True)
        for location, row in islice(rows, limit):
            try:
                questions = list(_questions(preset, row, space))
                lines += [_line(each, preset, folder, out) for each in questions]
            except (LayoutError, BadImageError) as error:
                problems.append(f"{location}: {error}.")
        if problems or not lines:
            raise DatasetError(_report(preset, problems))
        path = out / QUESTIONS_NAME
        write_whole(path, "".join(line + "\n" for line in lines))
    return path


def _questions(preset: Preset, row: Mapping[str, Any], space: str) -> Iterator[Question]:
    if missing := [name for name in preset.columns if name not in row]:
        raise LayoutError(
            f"expected the columns {', '.join(preset.columns)}, found no {', '.join(missing)}"
        )
    try:
        yield from preset.questions(row, space)
    except (
        TypeError,
        KeyError,
        ValueError,
        AttributeError,
        IndexError,
        ZeroDivisionError,
    ) as error:
        raise LayoutError(
            f"expected a row of {preset.name}, found values of another kind ({first_line(error)})"
        ) from error


def _line(question: Question, preset: Preset, folder: Path, out: Path) -> str:
    row: dict[str, Any] = {
        "question": question.text,
        "reference": question.reference,
        "domain": question.domain or preset.domain,
        "category": question.category,
    }
    if question.images:
        row["images"] = [_write_picture(cell, folder, out) for cell in question.images]
    return json.dumps(row, ensure_ascii=False)


def _write_picture(cell: Any, folder: Path, out: Path) -> str:
    """Write the picture of ``cell`` beside the questions; returns its name there."""
    content = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(content, bytes):
        name = cell.get("path") if isinstance(cell, Mapping) else cell
        content = read_file(file_inside(name, folder, "picture"), str(name))
    name = f"pictures/{digest_of(content)}"
    path = out / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
    return name


def _report(preset: Preset, problems: Sequence[str]) -> str:
    if not problems:
        return f"{preset.name}: expected rows, found none."
    more = [f"and {len(problems) - MAX_SHOWN} more."] if len(problems) > MAX_SHOWN else []
    count = "1 row" if len(problems) == 1 else f"{len(problems)} rows"
    first = f"{preset.name}: {count} cannot be used; is it the data set {preset.hub}?"
    return "\n  ".join([first, *problems[:MAX_SHOWN], *more])


def _folder_of(preset: Preset, data: Path | None) -> Path:
    """Where the files that rows name are looked up."""
    if data is None:
        return Path()
    return data / preset.name if (data / preset.name).is_dir() else data


def _local_rows(preset: Preset, data: Path) -> Iterator[Located]:
    own = data / preset.name
    found = [data / f"{preset.name}{ending}" for ending in ENDINGS]
    files = [path for path in found if path.is_file()]
    if not files and own.is_dir():
        inside = sorted(path for path in own.rglob("*") if path.suffix in ENDINGS)
        of_split = [path for path in inside if path.name.startswith((preset.split, preset.name))]
        files = of_split or inside
    if not files:
        raise DatasetError(
            f"{preset.name}: expected {data}/{preset.name}.parquet (or .jsonl, .json), or a folder "
            f"{own} with such files, found neither. Put the files of the data set "
            f"{preset.hub or 'there, made as rlcs/docs/benchmarks.md says'} there."
        )
    for path in files:
        yield from _rows_of_file(preset, path)


def _rows_of_file(preset: Preset, path: Path) -> Iterator[Located]:
    try:
        if path.suffix == ".parquet":
            yield from _rows_of_parquet(preset, path)
            return
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if path.suffix == ".json" else _parsed_lines(text)
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, dict):
                raise ValueError(f"row {number} is no object")
            yield f"{path} row {number}", row
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: expected rows of {preset.name}, found {error}.") from error


def _parsed_lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"in line {number}: {error}") from None


def _rows_of_parquet(preset: Preset, path: Path) -> Iterator[Located]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        there = file.schema_arrow.names
        wanted = [name for name in (*preset.columns, *preset.optional) if name in there]
        number = 0
        for batch in file.iter_batches(batch_size=64, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                yield f"{path} row {number}", row


def _hub_rows(preset: Preset) -> Iterator[Located]:
    if preset.hub is None:
        raise DatasetError(
            f"{preset.name}: expected --data FOLDER with its rows, found none; there is no data "
            "set on the hub that could be read as it is. See rlcs/docs/benchmarks.md."
        )
    import datasets
    from datasets.exceptions import DatasetsError

    try:
        loaded = datasets.load_dataset(preset.hub, preset.subset, split=preset.split)
        rows = loaded.to_iterable_dataset().decode(False)
        for number, row in enumerate(rows, start=1):
            yield f"{preset.hub} row {number}", row
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        raise DatasetError(
            f"{preset.name}: expected the data set {preset.hub} on the Hugging Face hub, found "
            f"{first_line(error)}. Without a hub, put its files into a folder: --data FOLDER."
        ) from error
