"""Formats: rows as other programs lay them out, read by name or recognised, in any kind of file."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import PIL.Image
import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict, Features, Image, Sequence, Value

from rlcs.config import DataSection, SourceSection
from rlcs.data import load_data
from rlcs.errors import DatasetError
from rlcs.types import Problem


def load(path: Path | str, **keys: Any) -> list[Problem]:
    source = SourceSection.model_validate({"path": str(path), **keys})
    return list(load_data(DataSection(train=[source])).train)


def refused(path: Path | str, **keys: Any) -> str:
    with pytest.raises(DatasetError) as caught:
        load(path, **keys)
    return str(caught.value)


def asked(problem: Problem) -> tuple[str, Any, str]:
    return problem.question, problem.reference, problem.category


def picture(shade: int) -> bytes:
    written = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), (shade, 0, 0)).save(written, "PNG")
    return written.getvalue()


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


VERL_ROW = {
    "data_source": "openai/gsm8k",
    "prompt": [{"role": "user", "content": "What is 1 + 1?"}],
    "ability": "math",
    "reward_model": {"style": "rule", "ground_truth": "2"},
    "extra_info": {"split": "train", "index": 0, "answer": "1 + 1 = 2\n#### 2"},
}


def test_verl_parquet(tmp_path: Path) -> None:
    # As pandas writes it: lists are numpy arrays of objects.
    frame = pandas.DataFrame([VERL_ROW, VERL_ROW])
    frame["prompt"] = [np.array(row, dtype=object) for row in frame["prompt"]]
    frame.to_parquet(tmp_path / "train.parquet")
    for keys in ({}, {"format": "verl"}):
        first, second = load(tmp_path / "train.parquet", **keys)
        assert asked(first) == ("What is 1 + 1?", "2", "openai/gsm8k")
        assert second.location == f"{tmp_path}/train.parquet row 2"


def test_verl_parquet_with_pictures(tmp_path: Path) -> None:
    rows = {
        "data_source": ["hiyouga/geometry3k"] * 2,
        "prompt": [[{"role": "user", "content": "<image><image>How long?"}]] * 2,
        "images": [
            [{"bytes": picture(2 * n), "path": None}, {"bytes": picture(2 * n + 1)}] for n in (0, 1)
        ],
        "reward_model": [{"style": "rule", "ground_truth": "3"}] * 2,
    }
    features = Features(
        {
            "data_source": Value("string"),
            "prompt": [{"role": Value("string"), "content": Value("string")}],
            "images": Sequence(Image()),
            "reward_model": {"style": Value("string"), "ground_truth": Value("string")},
        }
    )
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "geo.parquet")
    first, second = load(tmp_path / "geo.parquet")
    assert [image.read() for image in second.images] == [picture(2), picture(3)]
    assert (first.images[0].width, first.images[0].height) == (40, 30)
    assert not isinstance(first.images[0].stored, bytes), "read again when it is wanted"


def test_verl_pictures_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    row = {**VERL_ROW, "images": [{"image": "a.png"}]}
    [problem] = load(write_lines(tmp_path / "rows.jsonl", row))
    assert problem.images[0].read() == picture(1)


def test_openrlhf(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "Add."}, {"role": "user", "content": "2 + 2?"}]
    rows = [{"input": "1 + 1?", "label": "2"}, {"input": turns, "label": "4"}]
    first, second = load(write_lines(tmp_path / "rows.jsonl", *rows), category="sums")
    assert asked(first) == ("1 + 1?", "2", "sums")
    assert list(second.messages) == turns


def test_trl(tmp_path: Path) -> None:
    rows = [
        {"prompt": "1 + 1?", "solution": "2"},
        {"prompt": [{"role": "user", "content": "2 + 2?"}], "solution": "$4$"},
    ]
    path = write_lines(tmp_path / "rows.jsonl", *rows)
    assert [asked(each)[:2] for each in load(path)] == [("1 + 1?", "2"), ("2 + 2?", "$4$")]
    cut = load(path, reference_pattern=r"\$?(\d+)")
    assert [each.reference for each in cut] == ["2", "4"]


def test_trl_pictures_under_the_name_of_one(tmp_path: Path) -> None:
    rows = {"image": [{"bytes": picture(1)}], "prompt": ["How many?"], "solution": ["1"]}
    features = Features({"image": Image(), "prompt": Value("string"), "solution": Value("string")})
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "rows.parquet")
    [problem] = load(tmp_path / "rows.parquet")
    assert problem.images[0].read() == picture(1)


def test_sharegpt(tmp_path: Path) -> None:
    said = [
        {"from": "system", "value": "Add."},
        {"from": "human", "value": "1 + 1?"},
        {"from": "gpt", "value": "2"},
        {"from": "human", "value": "And 1?"},
        {"from": "gpt", "value": "3"},
    ]
    path = tmp_path / "talks.json"
    path.write_text(json.dumps([{"id": "x", "conversations": said}], indent=1))
    [problem] = load(path)
    assert [turn["role"] for turn in problem.messages] == ["system", "user", "assistant", "user"]
    assert (problem.question, problem.reference, problem.demonstration) == ("And 1?", "3", "3")
    tool = [*said[:3], {"from": "function_call", "value": "{}"}]
    assert "expected turns of human, gpt or system with a text in 'conversations'" in refused(
        write_lines(tmp_path / "tools.jsonl", {"conversations": tool})
    )


def test_llamafactory_with_pictures(tmp_path: Path) -> None:
    (tmp_path / "mllm_demo_data").mkdir()
    (tmp_path / "mllm_demo_data" / "1.jpg").write_bytes(picture(7))
    rows: list[dict[str, Any]] = [
        {
            "messages": [
                {"content": "<image>Who are they?", "role": "user"},
                {"content": "They're Kane and Gretzka.", "role": "assistant"},
            ],
            "images": ["mllm_demo_data/1.jpg"],
        },
        {"messages": [{"content": "How many?", "role": "user"}], "images": [], "answer": "2"},
    ]
    (tmp_path / "mllm_demo.json").write_text(json.dumps(rows[:1]))
    [problem] = load(tmp_path / "mllm_demo.json", format="llamafactory")
    assert problem.demonstration == problem.reference == "They're Kane and Gretzka."
    assert problem.images[0].read() == picture(7)
    path = write_lines(tmp_path / "two.jsonl", rows[1], {**rows[0], "answer": "Kane"})
    assert [each.reference for each in load(path)] == ["2", "Kane"]
    assert [each.demonstration for each in load(path)] == [None, problem.demonstration]


def test_a_layout_gives_way_to_columns_that_are_named(tmp_path: Path) -> None:
    row = {**VERL_ROW, "uid": "u7", "extra_info": {"answer": "two", "level": {"name": "easy"}}}
    path = write_lines(tmp_path / "rows.jsonl", row)
    columns = {"id": "uid", "category": "extra_info.level.name"}
    [problem] = load(path, columns=columns)
    assert (problem.problem_id, problem.category) == ("u7", "easy")
    [problem] = load(path, format="verl", columns={"reference": "extra_info.answer"})
    assert problem.reference == "two"
    columns = {"messages": "prompt", "reference": "reward_model.ground_truth"}
    [problem] = load(path, columns=columns)
    assert problem.category == str(path), "columns that are named are not another layout's"


def test_rows_that_may_be_either_of_two_layouts(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", {**VERL_ROW, "solution": "two"})
    assert "found those of verl and trl (data_source, " in refused(path)
    assert load(path, format="trl")[0].reference == "two"
    assert "found no such key; the row has" in refused(path, format="columns")


def test_columns_with_dots_in_tables(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows = [{"a.b": "q?", "x": {"y": {"z": "1"}, "n": 1}}, {"a.b": "r?", "x": {"y": None, "n": 2}}]
    Dataset.from_list(rows).to_parquet(path)
    columns = {"question": "a.b", "reference": "x.y.z"}
    assert load(path, columns=columns, limit=1)[0].reference == "1"
    assert f"{path} row 2: expected an answer in 'x.y.z', found no such key" in refused(
        path, columns=columns
    )
    assert "expected the columns a.b, y.z, found a.b, x." in refused(
        path, columns={"question": "a.b", "reference": "y.z"}
    )


ROWS = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(5)]


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonl.gz", "jsonl.zst", "json", "json.gz"])
def test_kinds_of_json(tmp_path: Path, ending: str) -> None:
    text = "".join(json.dumps(row) + "\r\n" for row in ROWS)
    if ending.startswith("json") and "l" not in ending:
        text = json.dumps(ROWS)
    path = tmp_path / f"rows.{ending}"
    content = text.encode("utf-8-sig")
    if ending.endswith("gz"):
        content = gzip.compress(content)
    if ending.endswith("zst"):
        content = pa.compress(content, "zstd", asbytes=True)
    path.write_bytes(content)
    assert [each.question for each in load(path)] == [row["question"] for row in ROWS]
    assert load(path, limit=3)[2].location == f"{path}:3"


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    text = 'question,answer,topic,rate\r\n"1, or\r\n""2""?",2,,0.5\r\nb\u2028c,3,sums,1\r\n'
    path.write_bytes(text.encode("utf-8-sig"))
    columns = {"category": "topic", "pass_rate": "rate"}
    first, second = load(path, columns=columns, category="none")
    assert asked(first) == ('1, or\r\n"2"?', "2", "none")
    assert asked(second) == ("b\u2028c", "3", "sums")
    assert (first.prior_pass_rate, second.location) == (0.5, f"{path}:4")
    (tmp_path / "rows.tsv").write_bytes(b"question\tanswer\nb\t1\n\nc\nd\xff\t2\ne\t\n")
    message = refused(tmp_path / "rows.tsv")
    assert "rows.tsv:4: expected 2 cells as in line 1, found 1." in message
    assert "rows.tsv:5: expected text in UTF-8, found other bytes." in message
    assert "rows.tsv:6: expected an answer in 'answer', found nothing (null)." in message


def test_folders_of_shards_and_patterns(tmp_path: Path) -> None:
    for n in range(2):
        Dataset.from_list(ROWS[2 * n : 2 * n + 2]).to_parquet(
            tmp_path / f"train-0000{n}-of-00002.parquet"
        )
    (tmp_path / "README.md").write_text("not a row")
    found = load(tmp_path)
    assert [each.question for each in found] == [row["question"] for row in ROWS[:4]]
    assert found[3].location == f"{tmp_path}/train-00001-of-00002.parquet row 2"
    assert len(load(tmp_path / "train-*.parquet")) == 4
    write_lines(tmp_path / "more.jsonl", *ROWS)
    assert len(load(tmp_path / "*.jsonl")) == 5
    Dataset.from_list([{"question": "x"}]).to_parquet(tmp_path / "train-00002-of-00002.parquet")
    assert "expected the columns of the first file, found no answer" in refused(
        tmp_path / "train-*.parquet"
    )


def test_folders_that_datasets_saved(tmp_path: Path) -> None:
    rows = Dataset.from_list([{**row, "unread": 1} for row in ROWS])
    rows.save_to_disk(tmp_path / "one")
    found = load(tmp_path / "one", limit=4)
    assert [asked(each)[:2] for each in found] == [(r["question"], r["answer"]) for r in ROWS[:4]]
    assert found[1].location == f"{tmp_path}/one row 2"
    shuffled = rows.select([3, 1]).with_format("numpy")
    DatasetDict(train=shuffled, test=rows).save_to_disk(tmp_path / "two")
    assert [each.reference for each in load(tmp_path / "two")] == ["4", "2"]
    assert len(load(tmp_path / "two", split="test")) == 5
    assert "expected the split 'dev', found train, test." in refused(tmp_path / "two", split="dev")


def test_objects_in_tables_gain_no_keys_of_other_rows(tmp_path: Path) -> None:
    references = [{"action": "click", "box": [1, 2]}, {"action": "wait"}]
    rows = [{"question": "q", "answer": each} for each in references]
    Dataset.from_list(rows).to_parquet(tmp_path / "rows.parquet")
    assert [each.reference for each in load(tmp_path / "rows.parquet")] == references


def test_null_cells_and_odd_types_are_named(tmp_path: Path) -> None:
    table = pa.table(
        {
            "question": pa.array(["a", None, "c"]),
            "answer": pa.array([1, 2, None], pa.int64()),
            "kind": pa.array(["x", "x", "x"]).dictionary_encode(),
        }
    )
    pa.parquet.write_table(table, tmp_path / "rows.parquet")
    message = refused(tmp_path / "rows.parquet", columns={"category": "kind"})
    assert "row 2: expected a question (a text) in 'question', found nothing (null)" in message
    assert "row 3: expected an answer in 'answer', found nothing (null)" in message
    day = pa.table({"question": ["a"], "answer": pa.array([0], pa.timestamp("s"))})
    pa.parquet.write_table(day, tmp_path / "day.parquet")
    assert "row 1: expected an answer that is a text, number, list or object" in refused(
        tmp_path / "day.parquet"
    )


def test_an_encoded_picture_in_a_line_is_no_name(tmp_path: Path) -> None:
    row = {**ROWS[0], "images": [base64.b64encode(picture(1)).decode()]}
    path = write_lines(tmp_path / "rows.jsonl", row)
    assert "expected a picture, found" in refused(path, columns={"images": "images"})
