"""Shards in Parquet and saved folders that differ from one another or are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from rlcs.config import DataSection, SourceSection
from rlcs.data import load_data
from rlcs.errors import DatasetError


def load(path: Path) -> list[Any]:
    """The references of the rows."""
    data = DataSection(train=[SourceSection(path=str(path))])
    return [problem.reference for problem in load_data(data).train]


def refused(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        load(path)
    return str(caught.value)


def write_shards(folder: Path, *answers: Any) -> Path:
    """A file for each array of answers."""
    for number, answer in enumerate(answers):
        column = answer if isinstance(answer, pa.Array) else pa.array(answer)
        questions = [f"{number} {row}?" for row in range(len(column))]
        pq.write_table(
            pa.table({"question": questions, "answer": column}), folder / f"{number}.parquet"
        )
    return folder


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([[{"x": 1}], [{"x": 1, "y": "2"}]], [{"x": 1}, {"x": 1, "y": "2"}]),
        ([[[{"x": 1}]], [[{"y": 2.5}]]], [[{"x": 1}], [{"y": 2.5}]]),
        ([["a"], pa.array(["b"], pa.large_string())], ["a", "b"]),
        ([["a"], pa.array(["b"]).dictionary_encode()], ["a", "b"]),
        ([pa.array([1], pa.int8()), [2**40]], [1, 2**40]),
    ],
)
def test_what_is_written_in_other_types_arrives_as_written(
    tmp_path: Path, answers: list[Any], found: list[Any]
) -> None:
    assert load(write_shards(tmp_path, *answers)) == found


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([["1"], [1]], "(string), found int64."),
        ([[1], ["x"]], "(int64), found string."),
        ([[0.5], [7]], "(double), found int64."),
        ([["1"], [{"x": 1}]], "(string), found struct<x: int64>."),
        ([[[1]], [["1"]]], "found list<"),
        ([[{"x": 1}], [{"x": "1"}]], "found struct<x: string>."),
    ],
)
def test_a_shard_of_another_type_is_named(tmp_path: Path, answers: list[Any], said: str) -> None:
    message = refused(write_shards(tmp_path, *answers))
    assert f"{tmp_path}/1.parquet: expected the column 'answer' in the type that it has" in message
    assert said in message


def test_an_empty_column_of_a_shard_is_named_by_row(tmp_path: Path) -> None:
    folder = write_shards(tmp_path, pa.array([None], pa.null()), ["1"])
    assert f"{folder}/0.parquet row 1: expected an answer in 'answer', found nothing (null)" in (
        refused(folder)
    )


@pytest.mark.parametrize("damage", ["cut", "inside"])
def test_a_damaged_shard_is_named(tmp_path: Path, damage: str) -> None:
    write_shards(tmp_path, ["1"], [str(n) for n in range(1000)])
    path = tmp_path / "1.parquet"
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:100] + bytes(500) + content[600:])
    assert f"{path}: expected a Parquet file that can be read, found" in refused(tmp_path)


def test_text_that_is_no_utf8_is_named_by_row(tmp_path: Path) -> None:
    offsets, content = np.array([0, 1, 3], dtype=np.int32), b"1\xff\xfe"
    texts = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )
    write_shards(tmp_path, texts)
    assert f"{tmp_path}/0.parquet row 2: expected values of the columns' types, found" in refused(
        tmp_path
    )


def test_a_date_that_python_has_none_for_is_a_bad_row(tmp_path: Path) -> None:
    write_shards(tmp_path, pa.array([0, 10**16], pa.timestamp("ms")))
    assert f"{tmp_path}/0.parquet row 2: expected values that can be read, found" in refused(
        tmp_path
    )


@pytest.mark.parametrize("damage", ["missing", "cut", "state"])
def test_a_damaged_folder_of_datasets_is_named(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "saved"
    Dataset.from_list([{"question": str(n), "answer": "1"} for n in range(10)]).save_to_disk(
        folder, num_shards=2
    )
    last = sorted(folder.glob("*.arrow"))[-1]
    if damage == "missing":
        last.unlink()
    elif damage == "cut":
        last.write_bytes(last.read_bytes()[:500])
    else:
        (folder / "state.json").write_text("{}")
    assert f"{folder}: expected a data set, found" in refused(folder)
