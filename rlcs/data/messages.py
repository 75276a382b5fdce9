"""One message of many sentences."""

from __future__ import annotations

from collections.abc import Sequence

MAX_SHOWN = 20


def list_problems(where: str, problems: Sequence[str], number: int | None = None) -> str:
    """How many problems there are, ``number`` where not all are given, then the first 20."""
    number = len(problems) if number is None else number
    lines = [f"{number} problem{'s' * (number > 1)} {where}:", *problems[:MAX_SHOWN]]
    if number > MAX_SHOWN:
        lines.append(f"and {number - MAX_SHOWN} more.")
    return "\n  ".join(lines)
