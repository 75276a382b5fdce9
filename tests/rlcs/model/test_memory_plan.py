"""The memory plan against published figures, and against what torch keeps of a real layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from full_size import GLM_9B
from transformers import Glm4vConfig, Qwen2Config, Qwen3Config
from transformers.models.glm4v.modeling_glm4v import Glm4vTextModel
from transformers.models.qwen2.modeling_qwen2 import Qwen2Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3Model

from rlcs.cli.doctor.memory_check import check_gpu
from rlcs.cluster.placement import Needs, Node, place
from rlcs.config import RunConfig
from rlcs.errors import ConfigError, ModelError
from rlcs.model.memory_plan import layer_bytes, plan_memory

GLM_PARAMETERS = 10_292_777_472
GB = 1e9


@pytest.fixture(scope="module")
def glm_9b(tmp_path_factory: pytest.TempPathFactory) -> str:
    """GLM-4.1V-9B's shape, as published, without weights."""
    folder = tmp_path_factory.mktemp("glm")
    Glm4vConfig(**GLM_9B).save_pretrained(folder)
    return str(folder)


def run_of(model: str, **learner: Any) -> RunConfig:
    return RunConfig.model_validate(
        {
            "model": {"path": model, "dtype": "bfloat16"},
            "data": {"train": [{"path": "problems.jsonl", "domain": "math"}]},
            # A row a GPU, as the published figures were measured; activations hardly count.
            "learner": {"micro_batch_tokens": 256, **learner},
            "rollout": {
                "engine": "vllm",
                "max_prompt_tokens": 64,
                "max_thinking_tokens": 128,
                "max_answer_tokens": 32,
            },
        }
    )


@pytest.mark.parametrize(
    ("learner", "gpus", "published"),
    [
        pytest.param({"lora": {"rank": 8}}, 1, 21, id="adapters"),
        pytest.param({"zero_stage": 2, "num_ranks": 4}, 4, 304, id="ZeRO-2"),
        pytest.param({"zero_stage": 3, "num_ranks": 4}, 4, 210, id="ZeRO-3"),
        pytest.param(
            {"zero_stage": 2, "num_ranks": 4, "train": "language"}, 4, 280, id="ZeRO-2, frozen"
        ),
        pytest.param(
            {"zero_stage": 3, "num_ranks": 4, "train": "language"}, 4, 192, id="ZeRO-3, frozen"
        ),
    ],
)
def test_it_is_near_the_published_figures(glm_9b, learner, gpus, published) -> None:
    """GB over all GPUs for GLM-4.1V-9B with a batch of one row a GPU (LLaMA-Factory's table for
    the model's fine-tuning)."""
    plan = plan_memory(run_of(glm_9b, **learner), on_gpu=True)
    assert plan.num_parameters == GLM_PARAMETERS
    assert gpus * plan.rank_bytes / GB == pytest.approx(published, rel=0.15)


@pytest.mark.parametrize(
    ("stage", "by_hand"),
    [
        # Weights, float32 state 12, float32 gradients 4 and as many in the step, of a quarter.
        pytest.param(2, 2 * 10.29 + 20 * 10.29 / 4 + 2.5, id="ZeRO-2"),
        # A quarter of everything, and the weights that are live.
        pytest.param(3, 18 * 10.29 / 4 + 4 + 2.5, id="ZeRO-3"),
    ],
)
def test_it_is_the_sum_by_hand(glm_9b, stage, by_hand) -> None:
    plan = plan_memory(run_of(glm_9b, zero_stage=stage, num_ranks=4), on_gpu=True)
    assert plan.rank_bytes / GB == pytest.approx(by_hand, rel=0.05)


def kept_bytes(model: torch.nn.Module, num_tokens: int) -> float:
    """Bytes a token that torch keeps of a forward pass, the parameters themselves left out."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    row = torch.zeros(1, num_tokens, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model(input_ids=row, use_cache=False).last_hidden_state
    del output
    return sum(kept.values()) / num_tokens


SHAPES = {
    "GLM-4.1V-9B": (
        Glm4vTextModel,
        Glm4vConfig(
            text_config={
                "vocab_size": 256,
                "hidden_size": 4096,
                "intermediate_size": 13_696,
                "num_attention_heads": 32,
                "num_key_value_heads": 2,
                "attention_bias": True,
                "rope_parameters": {
                    "rope_type": "default",
                    "mrope_section": [8, 12, 12],
                    "partial_rotary_factor": 0.5,
                    "rope_theta": 1e4,
                },
            }
        ).text_config,
    ),
    "Qwen2.5-1.5B": (
        Qwen2Model,
        Qwen2Config(
            vocab_size=256,
            hidden_size=1536,
            intermediate_size=8960,
            num_attention_heads=12,
            num_key_value_heads=2,
        ),
    ),
    "Qwen3-8B": (
        Qwen3Model,
        Qwen3Config(
            vocab_size=256,
            hidden_size=4096,
            intermediate_size=12_288,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
        ),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_layer_of_real_size_keeps_what_is_planned(name: str) -> None:
    kind, config = SHAPES[name]
    found = []
    for num_layers in (1, 2):
        config.num_hidden_layers = num_layers
        if hasattr(config, "layer_types"):
            config.layer_types = ["full_attention"] * num_layers
        config._attn_implementation = "sdpa"
        with torch.device("meta"):
            model = kind(config)
        model = model.to(torch.bfloat16).to_empty(device="cpu")
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                tensor.zero_()
        found.append(kept_bytes(model, 64))
    planned = layer_bytes(model)
    assert found[1] - found[0] == pytest.approx(planned, rel=0.1)


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        plan_memory(run_of(str(tmp_path)), on_gpu=False)


@pytest.mark.parametrize(
    ("gigabytes", "said"),
    [
        pytest.param(
            80,
            r"largest part is optimiser: .* would fit: learner.zero_stage=2 .*, "
            r"learner.zero_stage=3 .*, learner.train=adapters",
            id="shared, or adapters",
        ),
        pytest.param(
            30,
            r"would fit: learner.offload_optimizer=true with learner.zero_stage=2 \(22.9 GiB\), "
            r"learner.train=adapters \(23",
            id="the optimiser on the host, or adapters",
        ),
        pytest.param(10, "use more ranks", id="nothing"),
    ],
)
def test_what_would_fit_is_said(glm_9b, gigabytes, said) -> None:
    config = run_of(glm_9b, zero_stage=1, num_ranks=4)
    plan = plan_memory(config, on_gpu=True)
    nodes = [Node(name="n", cpus=8, gpus=8)]
    placement = place(Needs(num_engines=1, num_ranks=4), nodes, use_gpus=True)
    with pytest.raises(ConfigError, match=said):
        check_gpu(config, plan, placement, gigabytes * GB)


@pytest.mark.parametrize(
    ("stage", "on_gpu", "on_host"),
    [
        # Weights, the context, and a short row at work; 12 bytes of float32 weights and moments and
        # 4 of gradients on the host.
        pytest.param(2, 2 * 10.29 + 3.3 + 0.7, 16 * 10.29 / 4, id="ZeRO-2"),
        pytest.param(3, 2 * 10.29 / 4 + 4 + 3.3 + 0.7, 16 * 10.29 / 4, id="ZeRO-3"),
    ],
)
def test_an_optimiser_on_the_host_is_planned_there(glm_9b, stage, on_gpu, on_host) -> None:
    run = run_of(glm_9b, zero_stage=stage, num_ranks=4, offload_optimizer=True)
    plan = plan_memory(run, on_gpu=True)
    assert plan.rank_bytes / GB == pytest.approx(on_gpu, rel=0.02)
    assert plan.host_bytes / GB == pytest.approx(on_host, rel=0.01)
    assert any("in its host's memory" in line for line in plan.lines())


def test_a_rank_leaves_a_shared_gpu_but_for_its_weights(glm_9b) -> None:
    kept = {
        stage: plan_memory(run_of(glm_9b, zero_stage=stage, num_ranks=4), on_gpu=True).kept_bytes
        for stage in (0, 2, 3)
    }
    assert kept[2] / GB == pytest.approx(2 * 10.29 + 3.3, rel=0.01)
    assert kept[3] / GB == pytest.approx(2 * 10.29 / 4 + 3.3, rel=0.01)
    assert kept[0] / GB == pytest.approx(16 * 10.29 + 3.3, rel=0.01)


def test_pictures_are_bounded_in_the_plan(glm_9b: str) -> None:
    """A picture can be no larger than ``model.image_tokens`` lets it become."""

    def at_work(bounds: dict[str, int] | None) -> float:
        config = run_of(glm_9b, zero_stage=3, num_ranks=32).model_dump()
        config["model"]["image_tokens"] = bounds
        config["rollout"] |= {"max_prompt_tokens": 8192}
        plan = plan_memory(RunConfig.model_validate(config), on_gpu=True)
        return plan.rank["at work"]

    patch_bytes = 2 * 1536 * 24 + 47_000
    spared = at_work(None) - at_work({"max": 1024})
    assert spared == pytest.approx((8192 - 1024) * 4 * patch_bytes)
    assert at_work({"max": 10_000}) == at_work(None), "a prompt has no room for such a picture"
