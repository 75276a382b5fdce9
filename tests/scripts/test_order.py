"""The order in which scripts/test takes the files."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def test_files_that_come_first_are_there(pytestconfig: pytest.Config) -> None:
    (conftest,) = [
        plugin
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", None) == str(TESTS / "conftest.py")
    ]
    files = [file for row in conftest.LONGEST_FIRST for file in row]
    assert len(set(files)) == len(files)
    gone = [file for file in files if not (TESTS / file).is_file()]
    assert gone == [], "correct LONGEST_FIRST in tests/conftest.py"
