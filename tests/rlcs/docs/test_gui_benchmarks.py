"""The rows that the page about GUI benchmarks shows are judged as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rewards import Request, pass_mark
from rewards.gui.dialects.table import DIALECTS
from rewards.registry import Registry

FOLDER = Path(__file__).parents[3] / "rlcs" / "docs"
PAGE = (FOLDER / "gui_benchmarks.md").read_text()
BENCHMARKS = [
    *("ScreenSpot", "ScreenSpot-v2", "ScreenSpot-Pro", "OSWorld-G"),
    *("AndroidControl", "AITW", "Mind2Web", "WebVoyager"),
]


def sections() -> dict[str, str]:
    """The text under each heading, by the heading."""
    parts = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def settings_of(text: str) -> dict[str, Any]:
    (written,) = re.findall(r"Settings:\s+`([^`]*)`", text)
    found: dict[str, Any] = json.loads(written)
    return found


def rows_of(text: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for block in re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]


def test_every_benchmark_has_a_section() -> None:
    assert list(sections()) == BENCHMARKS
    table = PAGE.partition("## ")[0]
    assert all(f"| {name} |" in table for name in BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_its_rows_are_judged_as_it_says(name: str) -> None:
    text = sections()[name]
    registry = Registry(settings=settings_of(text))
    rows = rows_of(text)
    assert {row["expected"] for row in rows} == {True, False}
    for row in rows:
        request = Request(
            domain=row["domain"],
            response=row["response"],
            reference=row["reference"],
            question=row.get("question"),
            bare=row["bare"],
        )
        verdict = registry.judge(request)
        assert not verdict.ours_failed, verdict.detail
        assert (verdict.score >= pass_mark(row["domain"])) == row["expected"], verdict.detail


def test_the_verifying_page_names_every_dialect() -> None:
    page = (FOLDER / "verifying.md").read_text()
    assert all(f"`{name}`" in page for name in DIALECTS)
