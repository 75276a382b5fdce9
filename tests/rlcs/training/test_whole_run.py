"""What a run leaves behind: logs that add up, checkpoints that are kept, models that load."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file
from workshop import GROUP_SIZE, NUM_STEPS, Workshop, read_jsonl

from curricula import Fate
from rlcs.run.checkpoint import Checkpoints, find_model

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def steps(whole_run: Path) -> list[dict[str, Any]]:
    return read_jsonl(whole_run / "log" / "steps.jsonl")


@pytest.fixture(scope="module")
def groups(whole_run: Path) -> list[dict[str, Any]]:
    return read_jsonl(whole_run / "log" / "groups.jsonl")


@pytest.fixture(scope="module")
def rollouts(whole_run: Path) -> list[dict[str, Any]]:
    files = sorted((whole_run / "rollouts").iterdir())
    return [row for path in files for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def drawn(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of groups drawn in their step, not carried into it."""
    found, carried = [], set()
    for step in range(1, NUM_STEPS + 1):
        here = [row for row in groups if row["step"] == step]
        assert carried <= {row["problem_id"] for row in here}, "a carried group has no fate"
        found += [row for row in here if row["problem_id"] not in carried]
        carried = {row["problem_id"] for row in here if row["fate"] == Fate.CARRIED}
    return found


@pytest.fixture(scope="module")
def exported(whole_run: Path, workshop: Workshop) -> Path:
    out = workshop.folder / "exported" / "model"
    assert str(out) in workshop.call("export", whole_run, out)
    return out


def test_every_drawn_problem_has_its_completions_and_a_fate(
    drawn: list[dict[str, Any]], rollouts: list[dict[str, Any]]
) -> None:
    completions = Counter((row["step"], row["problem_id"]) for row in rollouts)
    assert completions == {(row["step"], row["problem_id"]): GROUP_SIZE for row in drawn}
    assert {row["fate"] for row in drawn} <= set(Fate)


def test_fates_sum_up_at_every_step(
    steps: list[dict[str, Any]], groups: list[dict[str, Any]], drawn: list[dict[str, Any]]
) -> None:
    assert [row["step"] for row in steps] == list(range(1, NUM_STEPS + 1))
    for row in steps:
        here = [group for group in groups if group["step"] == row["step"]]
        fates = Counter(group["fate"] for group in here)
        assert row["groups"] == fates
        assert len({group["problem_id"] for group in here}) == len(here)
        assert 0 < fates[Fate.TRAINED] <= 6
    numbers = steps[-1]["curriculum"]
    final = Counter(row["fate"] for row in groups if row["fate"] != Fate.CARRIED)
    assert numbers["num_drawn"] == len(drawn) == final.total() + numbers["num_carried"]
    assert {name: numbers[f"num_fate_{name}"] for name in final} == final
    assert {Fate.TRAINED, Fate.INVALID, Fate.ERRORED} <= final.keys()


def test_groups_and_steps_count_what_their_completions_are(
    steps: list[dict[str, Any]], drawn: list[dict[str, Any]], rollouts: list[dict[str, Any]]
) -> None:
    for group in drawn:
        rows = [
            row
            for row in rollouts
            if (row["step"], row["problem_id"]) == (group["step"], group["problem_id"])
        ]
        assert group["passes"] == sum(row["passed"] for row in rows)
        assert group["attempts"] == sum(row["reward"] is not None for row in rows)
        assert group["errors"] == len(rows) - group["attempts"]
        assert group["tokens"] == sum(row["completion_tokens"] for row in rows)
    for step in steps:
        rows = [row for row in rollouts if row["step"] == step["step"]]
        graded = [row for row in rows if row["reward"] is not None]
        assert step["completions"] == len(rows)
        assert step["tokens"] == sum(row["completion_tokens"] for row in rows)
        assert step["errors"] == len(rows) - len(graded)
        assert step["pass_rate"] == pytest.approx(np.mean([row["passed"] for row in graded]))
        assert step["reward"] == pytest.approx(np.mean([row["reward"] for row in graded]))
        trained = step["groups"][Fate.TRAINED]
        assert step["learner"]["num_samples"] <= trained * GROUP_SIZE


def test_the_summary_is_the_sum_of_the_logs(
    whole_run: Path, steps: list[dict[str, Any]], rollouts: list[dict[str, Any]]
) -> None:
    summary = json.loads((whole_run / "summary.json").read_text())
    assert summary["steps"] == NUM_STEPS
    assert summary["rollouts"] == len(rollouts) == sum(row["completions"] for row in steps)
    tokens = sum(row["completion_tokens"] for row in rollouts)
    assert summary["generated_tokens"] == tokens == sum(row["tokens"] for row in steps)
    assert summary["seconds"] == pytest.approx(
        sum(row["seconds"]["step"] for row in steps), rel=0.1
    )
    for when in ("before", "after"):
        found = summary["eval"][when]
        assert 0 <= found["accuracy"] <= 1
        assert found["by_domain"]["checksum"]["accuracy"] == found["accuracy"]
        assert found["by_category"]["checksum/held"]["problems"] == 5


def test_failures_of_our_verifier_are_counted_and_never_rewarded(
    groups: list[dict[str, Any]], rollouts: list[dict[str, Any]]
) -> None:
    failed = [row for row in rollouts if row["outcome"] == "error"]
    assert failed
    assert all(row["reward"] is None and not row["passed"] for row in failed)
    assert all("RuntimeError in the verifier" in row["detail"] for row in failed)
    always = [row for row in groups if row["problem_id"] in ("fault0", "fault1")]
    assert always
    for row in always:
        assert (row["attempts"], row["errors"], row["fate"]) == (0, GROUP_SIZE, Fate.ERRORED)
    fault_free = [row for row in rollouts if not row["problem_id"].startswith("fault")]
    assert all(row["reward"] is not None for row in fault_free)


def test_the_newest_checkpoints_and_the_best_are_kept(whole_run: Path) -> None:
    checkpoints = Checkpoints(whole_run / "checkpoints", keep=2)
    found = sorted(path.name for path in checkpoints.folder.glob("step_*"))
    best = checkpoints.best()
    assert best is not None
    assert found == sorted({"step_000006", "step_000009", best.name})
    assert json.loads((checkpoints.folder / "best.json").read_text())["accuracy"] >= 0


def test_an_exported_model_loads_and_has_the_checkpoints_weights(
    whole_run: Path, exported: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    best = Checkpoints(whole_run / "checkpoints", keep=2).best()
    assert best is not None
    expected = load_file(best / "model" / "model.safetensors")
    model, loading = AutoModelForCausalLM.from_pretrained(exported, output_loading_info=True)
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    for name, parameter in model.named_parameters():
        np.testing.assert_array_equal(parameter.detach().numpy(), expected[name])
    tokenizer = AutoTokenizer.from_pretrained(exported)
    turns = [{"role": "user", "content": "Calculate 1 + 1."}]
    assert tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert list(exported.parent.iterdir()) == [exported]


def test_eval_of_a_run_is_that_of_its_best_model(
    whole_run: Path, exported: Path, workshop: Workshop
) -> None:
    out = workshop.folder / "accuracy.json"
    table = workshop.call("eval", workshop.config, "--model", whole_run, "--json", out)
    found = json.loads(out.read_text())
    best = json.loads((whole_run / "checkpoints" / "best.json").read_text())
    assert found["accuracy"] == best["accuracy"]
    for word in ("all", "checksum", "checksum/held", "avg@2", "pass@2", "greedy"):
        assert word in table
    assert f"{100 * found['accuracy']:.1f}%" in table
    low, high = found["interval"]
    assert 0 <= low <= found["accuracy"] <= high <= 1
    kept = pq.read_table(whole_run.parent / "eval-whole" / "completions.parquet").to_pylist()
    sampled = [row for row in kept if not row["greedy"]]
    assert len(sampled) == 2 * found["problems"] == sum(found["outcomes"].values())
    assert len(kept) == 3 * found["problems"]
    printed = workshop.output("eval", workshop.config, "--model", exported, "--json", "-")
    assert json.loads(printed) == found


def test_eval_of_a_checkpoint(whole_run: Path, workshop: Workshop) -> None:
    checkpoint = whole_run / "checkpoints" / f"step_{NUM_STEPS:06d}"
    # Overrides may stand after an option.
    change = "evaluation.samples_per_problem=2"
    printed = workshop.output("eval", workshop.config, "--model", checkpoint, change, "--json", "-")
    after = json.loads((whole_run / "summary.json").read_text())["eval"]["after"]
    assert after.items() <= json.loads(printed).items()
    assert find_model(checkpoint) == checkpoint / "model"
