"""The rollout section: how completions are generated, and by which engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, JsonValue, field_validator

from rewards.extraction import ANSWER_OPEN, THINK_CLOSE
from rlcs.config.section import Section
from rlcs.config.vllm_options import set_elsewhere, set_on_cpu


class VllmSection(Section):
    """The engines of a run whose ``rollout.engine`` is ``vllm``."""

    tensor_parallel_size: int = Field(default=1, ge=1)
    """GPUs that one engine is spread over; on a CPU, processes."""
    max_rows: int = Field(default=256, ge=1)
    """Completions that an engine samples at the same time."""
    memory_share: float = Field(default=0.9, gt=0, lt=1)
    """Share of a GPU's memory for weights and key-value cache; less if a learner shares it."""
    cache_gib: float | None = Field(default=None, gt=0)
    """Size of the key-value cache; when left out, what ``memory_share`` leaves, or ``batch_tokens``
    on a CPU."""
    transfer: Literal["host", "nccl", "cuda_ipc"] = "host"
    """How new weights come: by the host's memory, or from GPU to GPU: by ``nccl`` if engines and
    ranks have GPUs of their own, by ``cuda_ipc`` if they share them."""
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """Further engine options by vLLM's own names, for example ``{kv_cache_dtype: fp8}``; one that
    may name code or files needs ``--trust-code`` where the configuration is a run folder's."""

    @field_validator("extra")
    @classmethod
    def check_extra(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if problems := list(set_elsewhere(extra)):
            raise ValueError(" ".join(problems))
        return extra


class RolloutSection(Section):
    """How completions are sampled."""

    engine: Literal["transformers", "vllm"] = "transformers"
    num_actors: int = Field(default=1, ge=1)
    group_size: int = Field(default=8, ge=2)
    """Completions of one problem, G."""
    temperature: float = Field(default=1.0, gt=0)
    max_prompt_tokens: int = Field(default=512, ge=1)
    max_thinking_tokens: int = Field(default=512, ge=1)
    max_answer_tokens: int = Field(default=64, ge=1)
    """Tokens after the thinking budget."""
    force_answer: str | None = THINK_CLOSE + ANSWER_OPEN
    """Inserted when thinking runs over its budget; null lets it run into the length limit."""
    batch_tokens: int = Field(default=65536, ge=1)
    """Tokens (rows times longest possible row) that an engine holds at once. vLLM reads it on a CPU
    alone, to size its cache when ``vllm.cache_gib`` is left out."""
    vllm: VllmSection = VllmSection()

    @property
    def engine_width(self) -> int:
        """GPUs of one node that one engine has to itself; without GPUs, its processes."""
        return self.vllm.tensor_parallel_size if self.engine == "vllm" else 1

    @property
    def max_completion_tokens(self) -> int:
        """The sampled tokens of a completion, inserted ones not counted."""
        return self.max_thinking_tokens + self.max_answer_tokens

    @property
    def max_row_tokens(self) -> int:
        """The tokens of the longest row: a prompt and its completion, inserted ones not counted."""
        return self.max_prompt_tokens + self.max_completion_tokens

    def check_extra(self, device: str) -> Iterator[str]:
        """A sentence for each of vLLM's options that cannot be chosen on ``device``."""
        if device == "cpu" and self.engine == "vllm":
            yield from set_on_cpu(self.vllm.extra)

    def check_batch_tokens(self, device: str) -> Iterator[str]:
        """A sentence when ``batch_tokens`` is too small for an engine on ``device`` that reads it.

        Where ``device`` is ``auto``, only a look at the cluster tells whether vLLM reads it.
        """
        by_vllm = device == "cpu" and self.vllm.cache_gib is None
        read = self.engine == "transformers" or by_vllm
        if read and self.batch_tokens < self.max_row_tokens:
            yield (
                f"rollout.batch_tokens = {self.batch_tokens} is less than one row can need: "
                f"max_prompt_tokens {self.max_prompt_tokens} + max_thinking_tokens "
                f"{self.max_thinking_tokens} + max_answer_tokens {self.max_answer_tokens} = "
                f"{self.max_row_tokens}. Raise rollout.batch_tokens to {self.max_row_tokens} or "
                "more."
            )
