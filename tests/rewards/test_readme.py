"""The examples of the package's page run, and say what they print."""

from __future__ import annotations

import doctest
from pathlib import Path

import rewards


def test_examples() -> None:
    page = Path(rewards.__file__).parent / "README.md"
    assert doctest.testfile(str(page), module_relative=False).failed == 0
    assert doctest.testmod(rewards).failed == 0


def test_public_names() -> None:
    assert rewards.__all__ == sorted(rewards.__all__)
    assert {"Outcome", "Request", "Verdict", "VerifierPool", "verify", "passed"} <= set(
        rewards.__all__
    )
