"""A run whose data was changed goes on when that is asked for, and says what it lost."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from workshop import NUM_STEPS, Workshop, base_config, read_jsonl, train_rows, write_jsonl

from curricula import Fate

pytestmark = pytest.mark.long


def test_changed_data(workshop: Workshop, whole_run: Path) -> None:
    seen = {row["problem_id"] for row in read_jsonl(whole_run / "log" / "groups.jsonl")}
    rows = train_rows()
    gone, edited = [row["id"] for row in rows if row["id"] in seen][:2]
    kept = [row for row in rows if row["id"] != gone]
    new = {**rows[0], "id": "new", "question": "Calculate 1000 + 1."}
    changed = [
        {**row, "question": "Calculate 1000 + 2."} if row["id"] == edited else row for row in kept
    ]
    write_jsonl(workshop.folder / "changed.jsonl", [*changed, new])
    config = base_config(workshop.folder)
    config["data"]["train"][0]["path"] = str(workshop.folder / "changed.jsonl")
    path = workshop.folder / "changed.yaml"
    path.write_text(yaml.safe_dump(config))
    run = shutil.copytree(whole_run, workshop.folder / "runs" / "reconciled")

    refused = workshop.refuse("train", path, "--resume", run)
    assert "with --reconcile also data" in refused

    workshop.call("train", path, "--resume", run, "--reconcile", f"run.num_steps={NUM_STEPS + 2}")
    last = read_jsonl(run / "log" / "steps.jsonl")[-1]
    assert last["step"] == NUM_STEPS + 2
    numbers = last["curriculum"]
    assert (numbers["num_forgotten"], numbers["num_edited"]) == (1, 1)
    groups = read_jsonl(run / "log" / "groups.jsonl")
    assert gone not in {row["problem_id"] for row in groups if row["step"] > NUM_STEPS}
    final = Counter(row["fate"] for row in groups if row["fate"] != Fate.CARRIED)
    drawn = final.total() + numbers["num_carried"]
    assert drawn <= numbers["num_drawn"] <= drawn + 2, "but for groups carried over and given up"
