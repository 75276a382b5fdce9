"""A rank that measures how far its gradients are from those of one batch in plain torch.

    python sharded_gradients.py RANK NUM_RANKS PORT CASES.pkl OUT.json

The gradient is read from AdamW's first moment after one update: every ZeRO stage has it whole
somewhere. The reference runs each prompt with each completion alone, nothing packed, recomputed,
accumulated or sharded.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from deepspeed.utils import safe_get_full_optimizer_state
from transformers import AutoProcessor

from rlcs.learner.losses import ImitationObjective
from rlcs.learner.packing import pack
from rlcs.learner.rank import LearnerRank
from rlcs.learner.rank_settings import RankInfo, RankSettings
from rlcs.model.loading import decode_image, load_model
from rlcs.model.lora import add_adapters
from rlcs.model.parts import freeze_vision
from rlcs.types import TrainingSample


def expected_gradient(
    settings: RankSettings, samples: Sequence[TrainingSample]
) -> dict[str, torch.Tensor]:
    """The gradient of the mean loss of ``samples``, by name."""
    model = load_model(settings.model_path, "float32")
    if settings.lora:
        torch.manual_seed(settings.seed)  # the rank draws its adapters from this seed
        model = add_adapters(model, settings.lora)
    elif settings.trained.train == "language":
        freeze_vision(model)
    losses = []
    for sample in samples:
        token_ids = torch.from_numpy(sample.token_ids)[None]
        first = sample.num_prompt_tokens
        logits = model(**_inputs(settings.model_path, sample), use_cache=False).logits
        chosen = logits[0, first - 1 : -1].log_softmax(-1).gather(-1, token_ids[0, first:, None])
        losses.append(-chosen[torch.from_numpy(sample.loss_mask)].mean())
    torch.stack(losses).mean().backward()
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def _inputs(model_path: str, sample: TrainingSample) -> dict[str, Any]:
    token_ids = torch.from_numpy(sample.token_ids)[None]
    if not sample.images:
        return {"input_ids": token_ids}
    processor = _processor(model_path)
    of_image = torch.tensor(processor.create_mm_token_type_ids(token_ids.tolist()))
    decoded = [decode_image(image) for image in sample.images]
    pixels = processor.image_processor(images=decoded, return_tensors="pt")
    return {"input_ids": token_ids, "mm_token_type_ids": of_image, **pixels}


@functools.cache
def _processor(model_path: str) -> Any:
    return AutoProcessor.from_pretrained(model_path)


def found_gradient(rank: LearnerRank) -> dict[str, torch.Tensor]:
    """The gradient of the rank's only update, by name; every rank has to call it."""
    unsharded = rank.settings.ranks.zero_stage == 0
    share = 1 - rank.settings.optimiser.beta1
    return {
        name: (
            rank.engine.optimizer.state[parameter]["exp_avg"]
            if unsharded
            else safe_get_full_optimizer_state(parameter, "exp_avg")
        )
        / share
        for name, parameter in rank.model.named_parameters()
        if parameter.requires_grad
    }


def learn(
    settings: RankSettings, rank_info: RankInfo, samples: Sequence[TrainingSample]
) -> dict[str, torch.Tensor]:
    """The gradient of one update on ``samples``, by name."""
    rank = LearnerRank(settings, rank_info)
    shares = pack(
        samples,
        loss="per_sample",
        num_ranks=rank_info.num_ranks,
        micro_batch_tokens=settings.ranks.micro_batch_tokens,
        work=rank.work_model,
    )
    assert len(shares[0]) > 1, "the update was to have several micro-batches"
    rank.learn(shares[rank_info.rank], ImitationObjective(), 1e-6)
    found = {name: gradient.clone() for name, gradient in found_gradient(rank).items()}
    rank.engine.destroy()
    return found


def errors_of(
    found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]
) -> dict[str, float]:
    """For each trained parameter the largest error, relative to the largest entry of its gradient;
    where that is next to nothing, to a thousandth of the largest of all."""
    assert found.keys() == expected.keys()
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    errors = {}
    for name, gradient in expected.items():
        scale = max(float(gradient.abs().max()), 1e-3 * largest)
        errors[name] = float((found[name] - gradient).abs().max()) / scale
    return errors


def main() -> None:
    rank, num_ranks, port = (int(each) for each in sys.argv[1:4])
    cases = pickle.loads(Path(sys.argv[4]).read_bytes())
    rank_info = RankInfo(
        rank=rank, num_ranks=num_ranks, master_address="127.0.0.1", master_port=port
    )
    errors = {}
    expected: dict[str, dict[str, torch.Tensor]] = {}
    for name, (settings, samples) in cases.items():
        found = learn(settings, rank_info, samples)
        if rank == 0:
            asked = f"{settings.model_path} {settings.trained}"  # the same in every ZeRO stage
            if asked not in expected:
                expected[asked] = expected_gradient(settings, samples)
            errors[name] = errors_of(found, expected[asked])
    if rank == 0:
        Path(sys.argv[5]).write_text(json.dumps(errors))
    sys.stdout.flush()
    os._exit(0)  # what DeepSpeed holds would be torn down in an order that it does not expect


if __name__ == "__main__":
    main()
