"""The workshop that the training tests share, and one run that nothing disturbed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))  # the verifier and the helpers import by name

from workshop import ROOT, Workshop, base_config, heldout_rows, train_rows, write_jsonl


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A tiny untrained model and problems for it."""
    folder = tmp_path_factory.mktemp("workshop")
    make = [sys.executable, str(ROOT / "scripts" / "make_tiny_model"), str(folder / "model")]
    subprocess.run([*make, "--hidden", "32", "--layers", "2"], check=True, capture_output=True)
    write_jsonl(folder / "train.jsonl", train_rows())
    write_jsonl(folder / "heldout.jsonl", heldout_rows())
    (folder / "config.yaml").write_text(yaml.safe_dump(base_config(folder)))
    return Workshop(folder)


@pytest.fixture(scope="session")
def whole_run(workshop: Workshop) -> Path:
    """A run that nothing disturbed, from its first step to its summary."""
    workshop.call("train", workshop.config)
    return workshop.run_folder("whole")
