"""Before anything imports Ray: clusters of the tests ask for no token. And who tests what when.

Ray settles the first once for a process and all it starts. Tests of the token (test_submit.py)
run in processes of their own.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ["RAY_AUTH_MODE"] = "disabled"

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
_STATE = tempfile.TemporaryDirectory(prefix="rlcs_state_")
os.environ["XDG_STATE_HOME"] = _STATE.name
"""What code tests allow is remembered there, and not in the home of whoever runs them."""

LONGEST_FIRST = (
    (  # one run for all four
        "rlcs/training/test_exact_resume.py",
        "rlcs/training/test_whole_run.py",
        "rlcs/training/test_reconcile.py",
        "rlcs/training/test_foreign_run.py",
    ),
    ("rlcs/training/test_sft.py",),
    ("rlcs/cli/test_submit.py",),
    ("rlcs/cluster/test_ray_cluster.py",),
    ("rlcs/learner/test_sharded_gradients.py",),
    ("rlcs/dashboard/test_browser.py",),
    ("rlcs/training/test_overlap.py",),
    ("rlcs/rollout/engines/vllm/test_wide_engines.py",),
    ("rlcs/training/test_full_disk.py",),
    ("rlcs/rollout/engines/vllm/test_videos.py",),
    ("rlcs/cli/test_serve.py",),
    ("rlcs/rollout/test_pool.py",),
    ("rlcs/grading/test_grade.py",),
    ("rlcs/training/test_full_store.py",),
    ("rlcs/training/test_pictures_run.py",),
    ("rlcs/cli/test_bad_input.py",),
    ("rlcs/cluster/test_placement.py",),
    ("rlcs/grading/test_endpoint.py",),
    ("rlcs/run/test_model_folder.py",),
    ("rlcs/learner/test_rank_state.py",),
    ("rlcs/rollout/engines/vllm/test_images.py",),
    ("rlcs/training/test_vllm_run.py",),
    ("rlcs/rollout/engines/vllm/test_adapters.py",),
    ("rlcs/learner/test_learner_actors.py",),
    ("rlcs/rollout/engines/vllm/test_engine.py",),
)
"""Files of which a process tests all of a row, the rows that take longest first.

So the processes of scripts/test end at about the same time, and none makes a second time what
the files of a row share. All other files come after these, each a row of its own.
"""
_HERE = Path(__file__).parent
_ROWS = {file: row for row, files in enumerate(LONGEST_FIRST) for file in files}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the rows to the front; what is alike stays in its order."""

    last = len(LONGEST_FIRST)
    items.sort(key=lambda item: _ROWS.get(item.path.relative_to(_HERE).as_posix(), last))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process takes a whole row of files at a time, in their order."""
    from xdist.scheduler import LoadFileScheduling

    class RowScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            row = _ROWS.get(file.removeprefix("tests/"))
            return file if row is None else f"row {row}"

    return RowScheduling(config, log)
