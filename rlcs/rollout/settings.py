"""What the engines of a run are built from, and how a run samples: made from its sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import ImageTokensSection, LoraSection, ModelSection, RolloutSection, VllmSection
from rlcs.data import Renderer
from rlcs.errors import ConfigError
from rlcs.rollout.engine import Sampling
from rlcs.types import Problem, Prompt, Video

NOTHING_SHOWN: Mapping[str, int] = {"image": 0, "video": 0}
"""What prompts of text alone have at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """What every engine of a pool is built from."""

    engine: str
    """``transformers`` or ``vllm``."""
    model_path: str
    """A model folder, or a hub id."""
    dtype: str
    """Name of torch's type of the weights and of the arithmetic, for example ``float32``."""
    device: str
    """``cpu`` or ``cuda``."""
    num_threads: int
    """CPU threads of the process around the engine."""
    batch_tokens: int
    """Tokens (rows times the longest row) that an engine holds at once."""
    eos_token_ids: tuple[int, ...]
    """Tokens that end a completion."""
    max_row_tokens: int
    """Prompt, sampled and inserted tokens of the longest row."""
    vllm: VllmSection
    """Used where ``engine`` is ``vllm``."""
    lora: LoraSection | None = None
    """The weights that are published are those of such adapters; None where all weights are."""
    trust_code: bool = False
    """Whether Python files of the model folder may run."""
    image_tokens: ImageTokensSection | None = None
    """How many tokens one picture may become; None leaves it to the model folder."""
    most_shown: Mapping[str, int] = field(default_factory=lambda: dict(NOTHING_SHOWN))
    """The most pictures, ``image``, and videos, ``video``, of a prompt."""

    @property
    def takes_more(self) -> bool:
        """Whether an engine takes in work while it samples, and answers items as they end."""
        return self.engine == "vllm"

    @property
    def repeats_exactly(self) -> bool:
        """Whether a resumed run is to repeat batches to the bit, as the project promises on CPUs.

        On GPUs a batch repeats only nearly, whatever is in it.
        """
        return self.device == "cpu"

    @property
    def sleep_loses_weights(self) -> bool:
        """Whether an engine that has slept serves nothing until a version is loaded.

        Every version brings all weights anew, but for adapters, which come to a model that stays.
        """
        return self.engine == "vllm" and self.lora is None

    @property
    def rows_held(self) -> int:
        """Completions from which on an actor is given no more work.

        vLLM holds an eighth more than it samples, so that a place that comes free is taken at once.
        An engine that samples an item at a time holds one.
        """
        return self.rows_at_once + self.rows_at_once // 8 if self.takes_more else 1

    @property
    def rows_at_once(self) -> int:
        """Completions that an engine samples at the same time."""
        if self.engine == "vllm":
            return self.vllm.max_rows
        return max(1, self.batch_tokens // self.max_row_tokens)


def engine_settings(
    *,
    model: ModelSection,
    rollout: RolloutSection,
    lora: LoraSection | None,
    renderer: Renderer,
    plan: ProcessPlan,
    shown: Mapping[str, int],
) -> EngineSettings:
    """The settings of the engines of ``model``, whose prompts ``renderer`` makes.

    ``shown`` says how many pictures and videos one of them has at most.

    Raises:
        ConfigError: ``rollout`` does not fit the device of ``plan``: its ``batch_tokens`` have no
            room for a row, or it chooses what is fixed there.
    """
    device = plan.device
    if problems := [*rollout.check_batch_tokens(device), *rollout.check_extra(device)]:
        raise ConfigError(" ".join(problems))
    inserted = renderer.tokenizer.encode(rollout.force_answer or "", add_special_tokens=False)
    return EngineSettings(
        engine=rollout.engine,
        model_path=model.location,
        dtype=model.dtype,
        device=plan.device,
        num_threads=plan.num_threads,
        batch_tokens=rollout.batch_tokens,
        eos_token_ids=renderer.eos_token_ids,
        max_row_tokens=rollout.max_row_tokens + len(inserted),
        vllm=rollout.vllm,
        lora=lora,
        trust_code=model.trust_code,
        image_tokens=model.image_tokens,
        most_shown=shown,
    )


def most_shown(prompts: Iterable[Problem | Prompt]) -> dict[str, int]:
    """The most pictures and the most videos that one of the problems, or of their prompts, has."""
    most = dict(NOTHING_SHOWN)
    for prompt in prompts:
        videos = sum(isinstance(each, Video) for each in prompt.images)
        most["video"] = max(most["video"], videos)
        most["image"] = max(most["image"], len(prompt.images) - videos)
    return most


def training_sampling(rollout: RolloutSection) -> Sampling:
    """How completions are sampled in training, for avg@k and for offline grades."""
    return Sampling(
        temperature=rollout.temperature,
        max_thinking_tokens=rollout.max_thinking_tokens,
        max_answer_tokens=rollout.max_answer_tokens,
        force_answer=rollout.force_answer,
    )
