"""Every record that crosses Ray comes back from pickle as it was, and is frozen."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from rewards import Outcome, Request, Verdict
from rlcs.cluster.placement import Bundle, Placement
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import OptimiserSection, RanksSection, TrainedSection, VllmSection
from rlcs.learner.losses import ImitationObjective, PolicyObjective
from rlcs.learner.packing import pack
from rlcs.learner.rank_settings import RankInfo, RankSettings
from rlcs.model.weights import Probe
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.settings import EngineSettings
from rlcs.types import (
    Completion,
    FinishReason,
    Problem,
    Prompt,
    RolloutGroup,
    StepReport,
    TrainingSample,
)

PROBLEM = Problem(
    problem_id="数 1",
    domain="math",
    category="sums",
    messages=({"role": "user", "content": "1 + 1?"},),
    reference={"value": [2]},
    question="1 + 1?",
    prior_pass_rate=0.5,
)
PROMPT = Prompt(problem_id="数 1", token_ids=np.arange(4))
COMPLETION = Completion(
    problem_id="数 1",
    token_ids=np.array([3, 9, 1]),
    logprobs=np.array([-0.5, 0.0, -1e-8], dtype=np.float32),
    loss_mask=np.array([True, False, True]),
    text="<think>\ud83d",
    finish_reason=FinishReason.STOP,
    policy_version=3,
)
VERDICT = Verdict(outcome=Outcome.PARTIAL, score=0.5, extracted="2", detail="half", seconds=0.1)
SAMPLE = TrainingSample(
    token_ids=np.arange(7),
    num_prompt_tokens=4,
    old_logprobs=np.full(3, -1.5, dtype=np.float32),
    loss_mask=np.array([True, False, True]),
    advantage=-0.25,
)
RECORDS = [
    PROBLEM,
    PROMPT,
    COMPLETION,
    RolloutGroup(
        problem=PROBLEM,
        prompt=PROMPT,
        draw_probability=0.1,
        tier="medium",
        completions=(COMPLETION,) * 2,
        verdicts=(VERDICT,) * 2,
        rewards=np.array([0.5, np.nan]),
        passed=np.array([True, False]),
    ),
    SAMPLE,
    StepReport(
        loss=0.5,
        grad_norm=1.5,
        learning_rate=1e-6,
        num_samples=4,
        num_loss_tokens=9,
        num_padded_tokens=20,
        clip_fraction=0.1,
        mean_abs_log_ratio=0.01,
        entropy=2.5,
    ),
    VERDICT,
    Request(domain="math", response="<answer>2</answer>", reference=2, question=None),
    Sampling(temperature=1.0, max_thinking_tokens=5, max_answer_tokens=3, force_answer="</think>"),
    GroupRequest(prompt=PROMPT, seeds=(1, 2**63 - 1)),
    pack([SAMPLE], loss="per_token", num_ranks=1, micro_batch_tokens=10)[0][0],
    PolicyObjective(clip_low=0.2, clip_high=0.28, temperature=1.0),
    ImitationObjective(),
    RankSettings(
        model_path="m",
        dtype="bfloat16",
        device="cpu",
        num_threads=2,
        seed=1,
        optimiser=OptimiserSection(schedule="cosine"),
        ranks=RanksSection(zero_stage=3),
        trained=TrainedSection(train="language"),
    ),
    RankInfo(rank=1, num_ranks=2, master_address="127.0.0.1", master_port=29500),
    EngineSettings(
        engine="transformers",
        model_path="m",
        dtype="float32",
        device="cpu",
        num_threads=1,
        batch_tokens=100,
        eos_token_ids=(1, 2),
        max_row_tokens=20,
        vllm=VllmSection(),
    ),
    ProcessPlan(
        device="cpu",
        num_threads=4,
        placement=Placement(kind="cpu", bundles=(Bundle(gpus=0, rank=0),), node_names=("n",)),
    ),
    Probe(
        prompt=PROMPT,
        logprobs=np.zeros(2, dtype=np.float32),
        dtype="float32",
        previous=np.ones(2, dtype=np.float32),
    ),
]


def assert_same(found: Any, expected: Any) -> None:
    """The same type and values all the way down; arrays by type, shape and bits."""
    assert type(found) is type(expected)
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()
    else:
        assert found == expected


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_pickle_round_trip(record: Any) -> None:
    for protocol in (pickle.DEFAULT_PROTOCOL, pickle.HIGHEST_PROTOCOL):
        assert_same(pickle.loads(pickle.dumps(record, protocol)), record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_frozen(record: Any) -> None:
    for field in dataclasses.fields(record):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field.name, None)


def test_what_a_record_says_of_itself() -> None:
    assert COMPLETION.forced
    assert not dataclasses.replace(COMPLETION, loss_mask=np.ones(3, dtype=bool)).forced
    assert SAMPLE.num_loss_tokens == 2
