"""What every rollout engine offers, whatever runs inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rlcs.errors import EngineError
from rlcs.model.weights import Probe, Weights
from rlcs.types import Completion, Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How tokens are sampled. Top-p is always 1: cutting the tail garbles text over a long run."""

    temperature: float
    """0 takes the most likely token."""
    max_thinking_tokens: int
    max_answer_tokens: int
    force_answer: str | None = None
    """Text inserted when thinking runs over its budget, None to let it run on."""

    @property
    def max_sampled_tokens(self) -> int:
        """Tokens that may be sampled for a completion; inserted ones are not counted."""
        return self.max_thinking_tokens + self.max_answer_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRequest:
    """One prompt, to be answered once for each seed."""

    prompt: Prompt
    seeds: tuple[int, ...]
    """[G]; the same seed, prompt and weights give the same tokens."""
    expected_tokens: float | None = None
    """Length to expect of a completion, None when unknown. It orders the work, nothing else."""


class Engine(Protocol):
    """Samples completions under one version of the weights."""

    @property
    def policy_version(self) -> int:
        """The version that is served. Raises EngineError while a load is incomplete."""
        ...

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """Sample the groups, in the order of ``requests``, each with one completion a seed."""
        ...

    def load_weights(
        self, version: int, buckets: Iterable[Weights], probe: Probe | None = None
    ) -> None:
        """Serve ``version`` from now on, made of all ``buckets``.

        Nothing is served while they come, nor after a failed load.

        Raises:
            EngineError: a weight is missing or does not fit, or the engine says something else
                of ``probe`` than the learner.
        """
        ...

    def sleep(self) -> None:
        """Leave the GPU to the learner: weights go to the host, the cache is dropped."""
        ...

    def wake(self) -> None:
        """Come back to the GPU after :meth:`sleep`, ready for what was served before."""
        ...

    def close(self) -> None:
        """Give memory back; the engine is not used again."""
        ...


def complete_version(version: int | None) -> int:
    """``version``, where an engine holds all of one.

    Raises:
        EngineError: it is None, because a load failed halfway or has not ended.
    """
    if version is None:
        raise EngineError(
            "this engine holds no complete version of the weights: the last load failed "
            "halfway. Publish a version again before generating."
        )
    return version
