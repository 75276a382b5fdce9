"""The sums that SmolLM2 is trained on: right, worked out, and each in one part alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def test_what_is_written(
    load_script: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = load_script("make_sums")
    monkeypatch.setattr(sys, "argv", ["make_sums", str(tmp_path), "--train", "40"])
    script.main()
    asked: list[str] = []
    for part in ("train", "heldout", "demonstrations"):
        for line in (tmp_path / f"{part}.jsonl").read_text().splitlines():
            row = json.loads(line)
            numbers = list(map(int, row["question"].removesuffix(" =").split(" + ")))
            assert row["answer"] == sum(numbers)
            totals = list(map(int, row["response"].split()))
            assert totals == [sum(numbers[:end]) for end in range(2, len(numbers) + 1)]
            assert row["category"] == f"{len(numbers)} terms"
            asked.append(row["question"])
    assert len(set(asked)) == len(asked) == 40 + 160 + 640
