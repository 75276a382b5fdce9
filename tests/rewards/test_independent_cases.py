"""Cases whose writers knew the rules and none of the code.

When they were first judged, 199 of 200 (math), 150 of 150 (charts), 80 of 80 (gui) and 80 of 80
(grounding) agreed; of the later lists 60 of 60 (gui_dialects), 40 of 40 (grounding_dialects), 50
of 50 (math_kinds), 96 of 100 (math_kinds_2, where two of the four were false positives) and 99 of
100 (math_kinds_3, with no false positive). What did not agree has been mended since.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewards import Request, passed, verify

FOLDER = Path(__file__).parent / "independent"


def agrees(row: dict[str, Any]) -> bool:
    request = Request(
        domain=row["domain"],
        response=row["response"],
        reference=row["reference"],
        question=row.get("question"),
        bare=row.get("bare", False),
    )
    verdict = verify(request)
    expected = row["expected"]
    if isinstance(expected, bool):
        return passed(row["domain"], verdict) == expected
    return verdict.score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_all_agree(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) >= 40
    assert [f"{row['id']}: {row['note']}" for row in rows if not agrees(row)] == []
