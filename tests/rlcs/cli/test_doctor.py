"""``rlcs doctor``: what a run would do, and everything that would stop it, before it starts."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from workshop import Workshop, base_config

from curricula import Grades, write_grades
from rlcs.cli.doctor.memory_check import check_gpu
from rlcs.cli.main import main
from rlcs.cluster.placement import Needs, Node, place
from rlcs.config import RunConfig, load_config
from rlcs.errors import ConfigError
from rlcs.model.memory_plan import plan_memory

NUM_PARAMETERS = 49_888
"""Of the workshop's model: float32, so 4 bytes each, and 8 of AdamW's state."""


@pytest.fixture
def config(workshop: Workshop, tmp_path: Path) -> str:
    """The workshop's configuration with a run folder of its own and a verifier of the package."""
    tree = base_config(workshop.folder)
    tree["run"]["folder"] = str(tmp_path / "runs")
    tree["scoring"] = {}
    for source in (*tree["data"]["train"], *tree["data"]["heldout"]):
        source["domain"] = "math"
    rows = tmp_path / "rows.jsonl"
    lines = (f'{{"id": "p{n}", "question": "Calculate {n}.", "answer": "{n}"}}' for n in range(9))
    rows.write_text("\n".join(lines) + "\n")
    tree["data"]["train"][0]["path"] = str(rows)
    tree["data"]["heldout"] = []
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(tree))
    return str(path)


def test_a_run_that_would_start(config, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", config, "rollout.num_actors=3", "learner.num_ranks=2"]) == 0
    said = capsys.readouterr().out
    for line in (
        "6 groups x 4 completions = 24 samples a step",
        "12 a rank (2 ranks)",
        "cpu, synchronous schedule",
        "49,888 parameters",
        "9 problems to train on, 0 held out",
        "       9  math/sums",
        "nothing stands in the way",
    ):
        assert line in said
    for process in ("engine 0", "engine 1", "engine 2", "rank 0", "rank 1"):
        assert said.count(process) == 1


PROBLEMS = [
    pytest.param("hardware.device=cuda", "has no GPU", id="no GPU"),
    pytest.param("hardware.ray_address=127.0.0.1:1", "found none that answers", id="no cluster"),
    pytest.param("run.groups_per_step=10", "there are 9 problems", id="too few problems"),
    pytest.param("model.path=none", "none", id="no model"),
    pytest.param("learner.micro_batch_tokens=9000000000", "lower learner.micro", id="no memory"),
    pytest.param("tracking.mlflow_experiment=x", r"rlcs[mlflow]", id="no package"),
    pytest.param(
        "rollout.vllm={cache_gib: 0.00001} rollout.engine=vllm",
        "no room for one row",
        id="no cache",
    ),
    pytest.param(
        "rollout.vllm={cache_gib: 9000} rollout.engine=vllm", "memory_share", id="huge cache"
    ),
    pytest.param(
        "rollout.vllm={tensor_parallel_size: 900} rollout.engine=vllm",
        "an engine over 900 CPUs",
        id="too wide for the node",
    ),
    pytest.param(
        "rollout.vllm={tensor_parallel_size: 2} rollout.engine=vllm",
        "does not divide the 1 attention heads",
        id="too wide for the model",
    ),
]


@pytest.mark.parametrize(("overrides", "message"), PROBLEMS)
def test_what_would_stop_it_is_told(config, overrides, message, capsys) -> None:
    assert main(["doctor", config, *re.split(r" (?=rollout)", overrides)]) == 1
    said = capsys.readouterr().out
    problems = [line for line in said.splitlines() if line.startswith("problem: ")]
    assert any(message in line for line in problems), said
    assert len(set(problems)) == len(problems)
    assert "Traceback" not in said
    assert "this run would fail as it is" in said


def graded(folder: Path, ids: list[str]) -> str:
    """The override that names a table of these problems; the first of them is the hardest."""
    passes = np.full((1, len(ids)), 4.0)
    passes[0, 0] = 1.0
    grades = Grades(
        ids=ids,
        models=["m"],
        passes=passes,
        attempts=np.full((1, len(ids)), 8.0),
        errors=np.zeros((1, len(ids))),
        labels=[""] * len(ids),
    )
    write_grades(grades, folder / "difficulty.parquet")
    return f"data.difficulty.path={folder / 'difficulty.parquet'}"


@pytest.mark.parametrize(
    "curriculum",
    ["curriculum={kind: static}", "curriculum={kind: hard_stage, pass_rate_upto: 0.2}"],
)
def test_kinds_that_need_grades_are_judged_with_them(
    curriculum: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``train`` lays the grades on the problems; without them ``doctor`` refused such runs."""
    table = graded(tmp_path, [f"p{number}" for number in range(9)])
    assert main(["doctor", config, curriculum, "run.groups_per_step=1", table]) == 0
    assert "difficulty: 9 of 9 training problems are graded" in capsys.readouterr().out


def test_a_table_of_other_problems_is_found(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``doctor`` passed a run whose table ``train`` refuses."""
    assert main(["doctor", config, graded(tmp_path, ["elsewhere"])]) == 1
    said = capsys.readouterr().out
    assert "problem: data.difficulty: expected a table of this run's problems" in said


def test_a_model_that_vllm_does_not_know(config, workshop, tmp_path, capsys) -> None:
    model = tmp_path / "model"
    shutil.copytree(workshop.model, model)
    settings = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**settings, "architectures": ["Unheard"]}))
    asked = [f"model.path={model}", "rollout.engine=vllm"]
    assert main(["doctor", config, *asked]) == 1
    assert "does not know the architecture Unheard" in capsys.readouterr().out


def test_vllm_that_is_not_installed(config, monkeypatch, capsys) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "vllm" else find(name)
    )
    assert main(["doctor", config, "rollout.engine=vllm"]) == 1
    assert "pip install 'rlcs[vllm]'" in capsys.readouterr().out


def test_all_problems_are_told_at_once(config, capsys) -> None:
    assert main(["doctor", config, "hardware.device=cuda", "tracking.trackio_project=x"]) == 1
    said = capsys.readouterr().out
    assert said.count("problem: ") == 2


@pytest.mark.parametrize(
    ("stage", "ranks", "weights", "gradients", "optimiser"),
    [
        pytest.param(0, 4, 4, 4, 8, id="all on every rank"),
        pytest.param(1, 4, 4, 4, 2, id="optimiser shared"),
        pytest.param(2, 4, 4, 1, 2, id="and gradients"),
        pytest.param(3, 4, 1, 1, 2, id="and weights"),
    ],
)
def test_memory_of_a_rank(config, stage, ranks, weights, gradients, optimiser) -> None:
    overrides = [f"learner.zero_stage={stage}", f"learner.num_ranks={ranks}"]
    plan = plan_memory(load_config(config, overrides, kind=RunConfig), on_gpu=False)
    assert plan.num_parameters == NUM_PARAMETERS
    assert plan.rank["weights"] == weights * NUM_PARAMETERS
    assert plan.rank["gradients"] == gradients * NUM_PARAMETERS
    assert plan.rank["optimiser"] == optimiser * NUM_PARAMETERS


def test_memory_of_an_engine(config) -> None:
    plan = plan_memory(
        load_config(config, ["rollout.batch_tokens=1000"], kind=RunConfig), on_gpu=False
    )
    per_token = 2 * 2 * 32 * 4  # keys and values, layers, hidden size, bytes
    assert plan.engine["cache"] == 1000 * per_token
    assert plan.row_bytes == (32 + 10 + 4) * per_token


@pytest.mark.parametrize(
    ("overrides", "gpus", "mib", "refused"),
    [
        pytest.param((), 2, 20, None, id="each its own"),
        pytest.param((), 2, 2, "a rank needs", id="a rank is too large"),
        pytest.param((), 1, 5, "what a rank keeps", id="nine tenths and a rank"),
        pytest.param(("rollout.vllm.memory_share=0.5",), 1, 5, None, id="half and a rank"),
        pytest.param(
            ("rollout.vllm.memory_share=0.01",), 2, 20, "for one row", id="no room for a row"
        ),
        pytest.param(("rollout.vllm.cache_gib=0.001",), 1, 20, None, id="a cache of its own size"),
        pytest.param(
            ("rollout.vllm.cache_gib=1",), 2, 20, "an engine needs", id="a cache that is too large"
        ),
    ],
)
def test_memory_of_a_gpu(config, overrides, gpus, mib, refused) -> None:
    asked = ["rollout.engine=vllm", "hardware.device=auto", *overrides]
    run = load_config(config, asked, kind=RunConfig)
    nodes = [Node(name="n", cpus=8, gpus=gpus)]
    placement = place(Needs(num_engines=1, num_ranks=1), nodes, use_gpus=True)
    if refused is None:
        check_gpu(run, plan_memory(run, on_gpu=False), placement, mib * 2**20)
        return
    with pytest.raises(ConfigError, match=refused):
        check_gpu(run, plan_memory(run, on_gpu=False), placement, mib * 2**20)


@pytest.mark.parametrize(
    ("shape", "cache_gib", "status", "line"),
    [
        pytest.param("2x80", 10, 0, "the smallest GPU has 79.2 GiB", id="room for all"),
        pytest.param("1x2x1", 10, 1, "a rank needs about", id="no room for CUDA's own memory"),
        pytest.param("2x80", 80, 1, "an engine needs about", id="no room for the cache"),
        pytest.param("1x80", 78, 1, "an engine and what a rank keeps need", id="one for both"),
    ],
)
def test_gpus_that_are_not_at_hand(config, shape, cache_gib, status, line, capsys) -> None:
    overrides = ["rollout.engine=vllm", "hardware.device=auto"]
    overrides.append(f"rollout.vllm.cache_gib={cache_gib}")
    assert main(["doctor", config, *overrides, "--assume", shape]) == status
    assert line in capsys.readouterr().out


def test_gpus_that_are_described_wrongly(config, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", config, "--assume", "eight"])
    assert "expected NODESxGPUSxGB such as 4x8x80" in capsys.readouterr().err
