"""Paths that name no data, several kinds or several splits of it, and files that are damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlcs.config import DataSection, SourceSection
from rlcs.data import load_data
from rlcs.errors import DatasetError

ROW = {"question": "What is 1 + 1?", "answer": "2"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no.jsonl", "or a pattern like shards/*.parquet, found nothing there (looked in "),
        ("*.jsonl", "found no file that fits"),
        ("folder", "found a folder without any"),
        ("rows.txt", "found one ending in '.txt'."),
        ("two.csv", "expected a first line with another name for each column, found 'a', 'a'."),
        ("wide.csv", "wide.csv: expected text in UTF-8, found other bytes in the first line."),
        ("mixed", "expected files of one kind, found some ending in .jsonl, .parquet."),
        ("splits", "expected the files of one split, found those of test, train. Name one by a"),
        ("nested", "found those of train, validation. Name one by a pattern: "),
        ("ends", "found those of test, train."),
        ("broken.jsonl.gz", "broken.jsonl.gz: expected a file that can be read, found"),
        ("broken.json", "broken.json: expected a list of objects in JSON, found"),
        ("object.json", "found one object over several lines. Write the list in it to a file"),
        ("broken.parquet", "broken.parquet: expected a Parquet file that can be read, found"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    files = ["mixed/a.jsonl", "mixed/a.parquet", "splits/train-0.csv", "splits/test-0.csv"]
    files += ["nested/train/0.csv", "nested/val/0.csv", "ends/sums_train.csv", "ends/sums_test.csv"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("a\n")
    (tmp_path / "wide.csv").write_bytes("a,b\n".encode("utf-16"))
    (tmp_path / "object.json").write_text(json.dumps({"data": [ROW]}, indent=1))
    (tmp_path / "rows.txt").write_text("a,b\n")
    (tmp_path / "two.csv").write_text("a,a\n1,2\n")
    (tmp_path / "broken.json").write_text("[1")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "broken.jsonl.gz").write_bytes(b"no")
    with pytest.raises(DatasetError) as caught:
        load_data(DataSection(train=[SourceSection(path=str(tmp_path / name))]))
    assert said in str(caught.value)
