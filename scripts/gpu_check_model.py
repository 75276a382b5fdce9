"""What ``scripts/gpu_check`` measures with: models of random weights, packed rows, counted work."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

WORDS_DRAWN = (10, 400)
"""Random tokens are drawn between these: no special token of either model is among them."""
DENSE = "gpu_check_dense"
NUM_COMPLETIONS = 6
LEARNING_RATE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large everything is."""

    lengths: tuple[int, ...] = (4096, 16_384, 32_768)
    """Tokens of the rows that are learned from."""
    picture: tuple[int, int] = (96, 64)
    """Width and height of the picture in tokens."""
    text_beside_picture: int = 2048
    compared_tokens: int = 2048
    """Of the row that two ways to compute are compared on."""
    row_step: int = 256
    """By how much the rows of different lengths differ."""
    matrix: int = 8192
    text: dict[str, Any] = field(
        default_factory=lambda: {
            "vocab_size": 151_552,
            "hidden_size": 4096,
            "intermediate_size": 13_696,
            "num_hidden_layers": 40,
            "num_attention_heads": 32,
            "num_key_value_heads": 2,
            "attention_bias": True,
            "max_position_embeddings": 65_536,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [8, 12, 12],
                "partial_rotary_factor": 0.5,
                "rope_theta": 1e4,
            },
        }
    )
    vision: dict[str, Any] = field(
        default_factory=lambda: {
            "depth": 24,
            "hidden_size": 1536,
            "intermediate_size": 13_696,
            "num_heads": 12,
            "out_hidden_size": 4096,
        }
    )
    token_ids: dict[str, int] = field(default_factory=dict)
    """Of the marks of pictures; without any, the published ones."""


MINIATURE = Scale(
    lengths=(128, 256, 512),
    picture=(6, 4),
    text_beside_picture=64,
    compared_tokens=128,
    row_step=32,
    matrix=128,
    text={
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "attention_bias": True,
        "max_position_embeddings": 1024,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [2, 3, 3],
            "partial_rotary_factor": 0.5,
            "rope_theta": 1e4,
        },
    },
    vision={
        "depth": 1,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 2,
        "out_hidden_size": 64,
        "image_size": 112,
    },
    token_ids={
        "image_token_id": 500,
        "video_token_id": 501,
        "image_start_token_id": 502,
        "image_end_token_id": 503,
        "video_start_token_id": 504,
        "video_end_token_id": 505,
    },
)


def write_folder(folder: Path, scale: Scale, **text: Any) -> None:
    """A model folder without weights, its ``text`` other than the scale's where that is given."""
    from transformers import Glm4vConfig, Glm4vImageProcessor

    Glm4vConfig(
        text_config={**scale.text, **text},
        vision_config=scale.vision,
        tie_word_embeddings=False,
        **scale.token_ids,
    ).save_pretrained(folder)
    Glm4vImageProcessor().save_pretrained(folder)


def random_model(folder: Path, device: str) -> torch.nn.Module:
    """The model of ``folder`` with random weights in bfloat16, made where they will stay."""
    from transformers import AutoConfig

    from rlcs.model.loading import model_class

    settings = AutoConfig.from_pretrained(folder)
    torch.manual_seed(0)
    with torch.device(device):
        model: torch.nn.Module = model_class(settings).from_config(settings, dtype=torch.bfloat16)
    return model


def samples(num_tokens: int, picture_tokens: int, images: tuple[Any, ...], mark: int) -> list[Any]:
    """A group whose tree has ``num_tokens``: a quarter is the prompt, the rest completions; the
    tokens of the picture, ``mark`` each, come on top."""
    from rlcs.types import TrainingSample

    draw = np.random.default_rng(0)
    length = num_tokens * 3 // 4 // NUM_COMPLETIONS
    written = draw.integers(*WORDS_DRAWN, num_tokens - NUM_COMPLETIONS * length)
    prompt = np.concatenate([written[:1], np.full(picture_tokens, mark), written[1:]])
    return [
        TrainingSample(
            token_ids=np.concatenate([prompt, draw.integers(*WORDS_DRAWN, length)]),
            num_prompt_tokens=len(prompt),
            old_logprobs=np.full(length, -12.0, dtype=np.float32),
            loss_mask=np.ones(length, dtype=bool),
            advantage=float(draw.normal()),
            images=images,
        )
        for _ in range(NUM_COMPLETIONS)
    ]


def packed(num_tokens: int, picture: Any = None, *, picture_tokens: int = 0, mark: int = 0) -> Any:
    """One micro-batch of :func:`samples`."""
    from rlcs.learner.packing import pack

    images = () if picture is None else (picture,)
    ((micro_batch,),) = pack(
        samples(num_tokens, picture_tokens, images, mark),
        loss="per_token",
        num_ranks=1,
        micro_batch_tokens=num_tokens + picture_tokens,
    )
    return micro_batch


def draw_picture(width: int, height: int) -> Any:
    """Noise, ``width`` by ``height`` pixels."""
    import PIL.Image

    from rlcs.types import Image

    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    PIL.Image.fromarray(pixels).save(encoded, "PNG", compress_level=1)
    stored = encoded.getvalue()
    return Image(name="noise", digest="noise", width=width, height=height, stored=stored)


def update_operations(model: Any, micro_batch: Any, picture_tokens: int) -> float:
    """The matrix operations that an update of adapters runs, the recomputed ones included.

    Of every frozen weight of the language model 2 a token forward, 2 when activations are computed
    again, 2 backward to its input; of an adapter's 2 more for its own gradient. The output layer
    has the same and sees the tokens with a loss alone. A pair of tokens that see one another costs
    4 a number of a head and layer forward, as much again, and 2.5 times that backward
    (FlashAttention's five products). The vision tower runs forward alone: 2 a weight and patch,
    and 4 a number of a head, layer and pair of patches.
    """
    from rlcs.model.parts import num_parameters, vision_parts

    plain = model.get_base_model()
    text, vision = plain.config.get_text_config(), plain.config.vision_config
    tokens = len(micro_batch.token_ids)
    head = plain.get_output_embeddings().weight.numel()
    trained = sum(each.numel() for each in plain.parameters() if each.requires_grad)
    tower = num_parameters(*vision_parts(plain))
    embedding = plain.get_input_embeddings().weight.numel()
    layers = num_parameters(plain) - tower - embedding - head
    head_size = text.hidden_size // text.num_attention_heads
    pairs = sum(tree.num_pairs for tree in micro_batch.trees)
    per_pair = 4 * text.num_attention_heads * head_size * text.num_hidden_layers
    patches = picture_tokens * vision.spatial_merge_size**2
    return float(
        tokens * (6 * layers + 2 * trained)
        + len(micro_batch.targets) * 6 * head
        + pairs * per_pair * 4.5
        + patches * 2 * tower
        + patches**2 * 4 * vision.hidden_size * vision.depth
    )


class PlainEngine(torch.nn.Module):
    """What a rank asks of DeepSpeed's engine, done by torch alone, for one rank.

    DeepSpeed keeps float32 copies of what is trained; this does not.
    """

    def __init__(self, policy: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        super().__init__()
        self.module = policy
        self.optimizer = optimiser
        self._norm = 0.0

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Call the policy."""
        return self.module(*inputs, **options)

    def backward(self, loss: torch.Tensor, *, scale_wrt_gas: bool) -> None:
        """Accumulate gradients."""
        loss.backward()

    def step(self) -> None:
        """Clip the gradients and update the parameters."""
        trained = [each for each in self.parameters() if each.requires_grad]
        self._norm = float(torch.nn.utils.clip_grad_norm_(trained, 1.0))
        self.optimizer.step()

    def get_global_grad_norm(self) -> float:
        """The norm before clipping."""
        return self._norm


def make_rank(folder: Path, device: str, port: int, *, with_deepspeed: bool) -> Any:
    """A rank of the learner that trains adapters of a model of random weights."""
    from rlcs.config import OptimiserSection, RanksSection, TrainedSection
    from rlcs.learner import rank as ranks
    from rlcs.learner.optimiser import make_optimiser
    from rlcs.learner.policy import Policy
    from rlcs.learner.rank_settings import RankInfo, RankSettings
    from rlcs.model.lora import add_adapters

    settings = RankSettings(
        model_path=str(folder), dtype="bfloat16", device=device, num_threads=1, seed=0,
        optimiser=OptimiserSection(learning_rate=LEARNING_RATE),
        ranks=RanksSection(recompute_activations=True),
        trained=TrainedSection.model_validate({"lora": {}}),
    )  # fmt: skip

    def start_plainly(settings: RankSettings, _where: RankInfo) -> PlainEngine:
        assert settings.lora is not None
        model = add_adapters(random_model(folder, device), settings.lora)
        policy = Policy(model, recompute_activations=True)
        return PlainEngine(policy, make_optimiser(policy, settings))

    # The rank stays what it is in a run. Its folder has no weights: 20 GB of random numbers need
    # not go through a disk.
    ranks.load_model = lambda *_, **__: random_model(folder, device)
    if not with_deepspeed:
        ranks._join = lambda *_: None
        ranks._start_engine = start_plainly
    where = RankInfo(rank=0, num_ranks=1, master_address="127.0.0.1", master_port=port)
    return ranks.LearnerRank(settings, where)


def plan_bytes(folder: Path, num_tokens: int, *, on_gpu: bool) -> float:
    """What ``rlcs.model.memory_plan`` says that a rank with such micro-batches needs."""
    from rlcs.config import RunConfig
    from rlcs.model.memory_plan import plan_memory

    config = RunConfig.model_validate(
        {
            "model": {"path": str(folder), "dtype": "bfloat16"},
            "data": {"train": [{"path": "problems.jsonl", "domain": "math"}]},
            "learner": {
                "micro_batch_tokens": num_tokens, "lora": {}, "recompute_activations": True,
            },
            "rollout": {
                "engine": "vllm", "max_prompt_tokens": 32, "max_thinking_tokens": 64,
                "max_answer_tokens": 16,
            },
        }
    )  # fmt: skip
    return plan_memory(config, on_gpu=on_gpu).rank_bytes


def use_attention(policy: Any, name: str) -> None:
    """Let the language model of ``policy`` attend by the function of this ``name``."""
    from transformers import AttentionInterface

    AttentionInterface.register(DENSE, dense_attention)
    policy.plain.set_attn_implementation({"text_config": name})


def dense_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    branches: Any = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Torch's attention with the mask of the whole row: the peer of the learner's own."""
    output = F.scaled_dot_product_attention(
        query, key, value, attn_mask=_dense_mask(branches), scale=scaling, enable_gqa=True
    )
    return output.transpose(1, 2), None


@functools.lru_cache(maxsize=1)
def _dense_mask(branches: Any) -> torch.Tensor:
    """[L, L] bool, written down from the trees, not from what FlexAttention is told."""
    seen = torch.eye(branches.num_tokens, dtype=torch.bool)
    end = 0
    for tree in branches.trees:
        start, end = end, end + tree.num_prompt_tokens
        prompt = slice(start, end)
        seen[prompt, prompt] = torch.ones(end - start, end - start, dtype=torch.bool).tril()
        for length in tree.completion_lengths:
            own = slice(end, end + length)
            seen[own, prompt] = True
            seen[own, own] = torch.ones(length, length, dtype=torch.bool).tril()
            end += length
    return seen.to(branches.device)
