"""What holds for all tests: how they share the work, and clusters that ask for no token.

Ray settles the latter once for a process and all it starts, so it stands before anything imports
Ray. Tests of the token (test_submit.py) run in processes of their own.
"""

import os

import pytest

os.environ["RAY_AUTH_MODE"] = "disabled"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run two at a time, a file stays together, and files that share a whole run."""
    sharing = {item.path for item in items if "whole_run" in getattr(item, "fixturenames", ())}
    for item in items:
        group = "whole_run" if item.path in sharing else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
