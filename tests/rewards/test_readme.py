"""The examples of the package's page run, and say what they print."""

from __future__ import annotations

import doctest
from pathlib import Path

import rewards
from rewards.grounding.dialects import DIALECTS as BOX_DIALECTS
from rewards.gui.dialects.table import DIALECTS as GUI_DIALECTS


def test_examples() -> None:
    page = Path(rewards.__file__).parent / "README.md"
    assert doctest.testfile(str(page), module_relative=False).failed == 0
    assert doctest.testmod(rewards).failed == 0


def test_public_names() -> None:
    assert rewards.__all__ == sorted(rewards.__all__)
    assert {"Outcome", "Request", "Verdict", "VerifierPool", "verify", "passed"} <= set(
        rewards.__all__
    )


def test_the_tables_of_dialects_are_those_of_the_code() -> None:
    page = (Path(rewards.__file__).parent / "README.md").read_text()
    for name, models, space in [
        *((d.name, d.models, d.space) for d in GUI_DIALECTS.values()),
        *((d.name, d.models, d.space) for d in BOX_DIALECTS.values()),
    ]:
        row = f"| `{name}` | {models} | "
        ending = f" | {f'`{space}`' if space else 'none'} |"
        assert any(line.startswith(row) and line.endswith(ending) for line in page.splitlines())
    for dialect in GUI_DIALECTS.values():
        assert f"`{' '.join(dialect.example.split())}`" in page
