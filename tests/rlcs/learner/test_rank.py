"""A DeepSpeed rank learns what a few lines of torch learn, however its batch is cut."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rlcs.config import LoraSection
from rlcs.errors import LearningError, ModelError
from rlcs.learner.losses import ImitationObjective, KlTerm
from rlcs.learner.packing import pack
from rlcs.learner.rank import LearnerRank
from rlcs.model.weights import to_array

CUTS = (10**6, 150, 40, 1)
"""Tokens of a micro-batch: one holds all, some hold a few samples, each holds one."""


@pytest.mark.parametrize("loss", ["per_sample", "per_token"])
@pytest.mark.parametrize("kind", ["policy", "imitation"])
def test_equals_plain_torch_however_it_is_cut(
    kind, loss, make_rank, objective, update, plain_learner, make_samples, assert_close
) -> None:
    objective = objective if kind == "policy" else ImitationObjective()
    batches = [
        make_samples(11, seed=1, group_size=4),
        make_samples(6, seed=2, group_size=3, advantage=-30.0),
    ]
    expected, expected_reports = plain_learner(batches, objective, loss)
    for cut in CUTS:
        rank = make_rank()
        before = rank.weights()
        for batch, wanted in zip(batches, expected_reports, strict=True):
            report = update(rank, batch, objective, loss=loss, micro_batch_tokens=cut)
            assert report.loss == pytest.approx(wanted["loss"], rel=1e-5)
            assert report.grad_norm == pytest.approx(wanted["grad_norm"], rel=1e-4)
        assert_close(rank.weights(), expected)
        moved = max(abs(expected[name] - before[name]).max() for name in before)
        assert moved > 1e-4


@pytest.mark.parametrize("zero_stage", [1, 2, 3])
def test_every_zero_stage_learns_the_same(
    zero_stage, make_rank, objective, update, plain_learner, make_samples, assert_close
) -> None:
    batches = [
        make_samples(7, seed=3, group_size=4),
        make_samples(9, seed=4, group_size=3, advantage=-30.0),
    ]
    expected, expected_reports = plain_learner(batches, objective, "per_sample")
    rank = make_rank(zero_stage=zero_stage)
    for batch, wanted in zip(batches, expected_reports, strict=True):
        report = update(rank, batch, objective)
        assert report.loss == pytest.approx(wanted["loss"], rel=1e-5)
        assert report.grad_norm == pytest.approx(wanted["grad_norm"], rel=1e-4)
    assert_close(rank.weights(), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("zero_stage", [1, 2, 3])
def test_an_optimiser_on_the_host_learns_the_same(
    zero_stage, dtype, make_rank, objective, update, make_samples, assert_close
) -> None:
    """On a CPU both are the same memory; the paths through DeepSpeed are others."""
    here, there = (
        make_rank(zero_stage=zero_stage, dtype=dtype, offload_optimizer=offload)
        for offload in (False, True)
    )
    for seed in (3, 4):
        samples = make_samples(7, seed=seed, group_size=4)
        expected, found = (update(rank, samples, objective) for rank in (here, there))
        assert found.loss == pytest.approx(expected.loss, rel=1e-5)
        assert found.grad_norm == pytest.approx(expected.grad_norm, rel=1e-2)
    if dtype == "float32":
        assert_close(there.weights(), here.weights())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_what_left_for_an_engine_comes_back(
    zero_stage, dtype, tmp_path, make_rank, objective, update, make_samples, assert_equal
) -> None:
    stays, leaves = (make_rank(zero_stage=zero_stage, dtype=dtype) for _ in range(2))
    for seed in (1, 2, 3):
        for rank in (stays, leaves):
            update(rank, make_samples(5, seed=seed), objective)
        leaves._offload.to_host()
        assert leaves._offload.on_host == (zero_stage > 0)
        assert_equal(leaves.weights(), stays.weights())
    leaves.save(str(tmp_path))  # a checkpoint is written while engines are at work
    leaves.load(str(tmp_path))
    assert not leaves._offload.on_host
    for rank in (stays, leaves):
        update(rank, make_samples(5, seed=4), objective)
    assert_equal(leaves.weights(), stays.weights())


def test_the_learning_rate_is_the_one_asked_for(
    make_rank, objective, update, make_samples, assert_equal
) -> None:
    """Adam's first step moves a weight by the learning rate, whatever the gradient's size."""
    rank = make_rank(weight_decay=0.0)
    before = rank.weights()
    report = update(rank, make_samples(5), objective, learning_rate=3e-3)
    assert report.learning_rate == 3e-3
    after = rank.weights()
    moved = max(abs(after[name] - before[name]).max() for name in before)
    assert moved == pytest.approx(3e-3, rel=1e-3)


def test_the_report_adds_up(make_rank, objective, update, make_samples, reference_model) -> None:
    samples = make_samples(8, seed=5)
    report = update(make_rank(), samples, objective, micro_batch_tokens=10**6)
    num_tokens = clipped = 0
    surprise, log_ratios = [], []
    for sample in samples:
        token_ids = torch.from_numpy(sample.token_ids)[None]
        first = sample.num_prompt_tokens
        with torch.no_grad():
            logits = reference_model(token_ids).logits[0, first - 1 : -1] / objective.temperature
        distribution = logits.log_softmax(-1)
        logprobs = distribution.gather(-1, token_ids[0, first:, None])[:, 0].numpy()
        for place, (logprob, old, counts) in enumerate(
            zip(logprobs, sample.old_logprobs, sample.loss_mask, strict=True)
        ):
            if counts:
                num_tokens += 1
                ratio = np.exp(logprob - old)
                clipped += ratio > 1.28 if sample.advantage > 0 else ratio < 0.8
                surprise.append(-(distribution.exp() * distribution).sum(-1)[place].item())
                log_ratios.append(abs(logprob - old))
    assert report.num_loss_tokens == num_tokens
    assert report.num_padded_tokens == sum(len(sample.token_ids) for sample in samples)
    assert 0 < clipped < num_tokens
    assert report.clip_fraction == pytest.approx(clipped / num_tokens)
    assert report.entropy == pytest.approx(np.mean(surprise), rel=1e-5)
    assert report.mean_abs_log_ratio == pytest.approx(np.mean(log_ratios), rel=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param({"advantage": float("nan")}, id="loss"),
        # The ratio overflows: the clipped loss is finite, its gradient is not a number.
        pytest.param({"old_logprobs": -200.0, "advantage": 1.0}, id="gradient"),
    ],
)
def test_what_is_not_finite_changes_nothing_and_leaves_no_trace(
    zero_stage, dtype, replaced, make_rank, objective, update, make_samples, assert_equal
) -> None:
    rank, other = (make_rank(zero_stage=zero_stage, dtype=dtype) for _ in range(2))
    for each in (rank, other):
        assert not update(each, make_samples(3), objective).skipped
    before = rank.weights()
    (sample,) = make_samples(1, seed=7)
    if "old_logprobs" in replaced:
        replaced = {**replaced, "old_logprobs": np.full_like(sample.old_logprobs, -200.0)}
    bad = make_samples(1, seed=7, **replaced)
    assert update(rank, [*make_samples(3), *bad], objective).skipped
    assert_equal(rank.weights(), before)
    for each in (rank, other):
        update(each, make_samples(4), objective)
    assert_equal(rank.weights(), other.weights())


@pytest.mark.parametrize(
    ("zero_stage", "dtype"), [(0, "float32"), (2, "float32"), (0, "bfloat16"), (3, "bfloat16")]
)
def test_saved_and_loaded_it_goes_on_bit_for_bit(
    zero_stage, dtype, tmp_path: Path, make_rank, objective, update, make_samples, assert_equal
) -> None:
    settings = {"zero_stage": zero_stage, "dtype": dtype}
    first = make_rank(**settings)
    for seed in (1, 2):
        update(first, make_samples(5, seed=seed), objective)
    first.save(str(tmp_path))
    saved = first.weights()
    reports = [update(first, make_samples(5, seed=seed), objective) for seed in (3, 4)]

    second = make_rank(**settings)
    update(second, make_samples(5, seed=9), objective)  # traces that loading must wipe out
    second.load(str(tmp_path))
    assert_equal(second.weights(), saved)
    assert [update(second, make_samples(5, seed=seed), objective) for seed in (3, 4)] == reports
    assert_equal(second.weights(), first.weights())


def test_loading_from_an_empty_folder(tmp_path: Path, make_rank) -> None:
    with pytest.raises(LearningError, match="expected a learner state"):
        make_rank().load(str(tmp_path))


@pytest.mark.parametrize("adapters", [False, True], ids=["a copy", "adapters off"])
@pytest.mark.parametrize("zero_stage", [0, 3])
def test_the_reference_is_the_model_as_it_was_loaded(
    adapters, zero_stage, make_rank, objective, update, make_samples
) -> None:
    """The divergence from it is nothing at first and grows; pulled back, it shrinks."""
    options = {"zero_stage": zero_stage, "with_reference": True, "weight_decay": 0.0}
    rank = make_rank(**options, **({"lora": LoraSection(rank=4)} if adapters else {}))
    samples = make_samples(6, seed=3)
    far = dataclasses.replace(objective, kl=KlTerm(coefficient=1e-9, kind="k3"))
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)

    def divergence() -> float:
        reference = rank._reference_logprobs(micro_batch, far)
        now = rank.logprobs([micro_batch], objective)[0]
        return float(np.square(reference.numpy() - now).mean())

    assert divergence() == pytest.approx(0, abs=1e-10)
    for _ in range(4):
        update(rank, samples, far, learning_rate=1e-2)
    moved = divergence()
    assert moved > 1e-4
    back = dataclasses.replace(objective, kl=KlTerm(coefficient=1e4, kind="k2"))
    for _ in range(12):
        update(rank, samples, back, learning_rate=1e-3)
    assert divergence() < 0.7 * moved


def test_entropy_is_learned_where_it_is_paid_for(
    make_rank, objective, update, make_samples
) -> None:
    samples = make_samples(6, seed=3, advantage=0.0)
    paid = dataclasses.replace(objective, entropy_bonus=1.0)
    rank = make_rank(weight_decay=0.0)
    first = update(rank, samples, paid, learning_rate=1e-3)
    for _ in range(3):
        last = update(rank, samples, paid, learning_rate=1e-3)
    assert first.grad_norm > 0
    assert last.entropy > first.entropy


def test_an_engine_takes_the_weights(
    tiny_model, make_rank, objective, update, make_samples, assert_equal, transformers_engine
) -> None:
    rank = make_rank()
    update(rank, make_samples(5), objective)
    engine = transformers_engine(tiny_model)
    engine.load_weights(1, [rank.weights()])
    held = {name: to_array(parameter) for name, parameter in engine.model.named_parameters()}
    assert_equal(held, rank.weights())


@pytest.mark.parametrize(("zero_stage", "dtype"), [(0, "float32"), (3, "float32"), (0, "bfloat16")])
def test_an_export_is_a_model_folder(
    zero_stage, dtype, tmp_path: Path, make_rank, objective, update, make_samples, assert_equal
) -> None:
    rank = make_rank(zero_stage=zero_stage, dtype=dtype)
    update(rank, make_samples(5), objective)
    rank.export(str(tmp_path))
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == getattr(torch, dtype)
    read = {name: to_array(parameter) for name, parameter in model.named_parameters()}
    assert_equal(read, rank.weights())


def test_a_model_that_is_not_there(make_rank, make_settings, tmp_path: Path) -> None:
    rank_info = make_rank().rank_info
    settings = dataclasses.replace(make_settings(), model_path=str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match=r"model\.path = .*nothing cannot be loaded"):
        LearnerRank(settings, rank_info)
