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


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an engine has come with the work that it has taken in."""

    answers: dict[int, list[tuple[Completion, ...]]]
    """The work items that have ended since the last call: key → groups, in the order of their
    requests, each with one completion a seed."""
    num_open: int
    """Completions taken in that have not ended."""


class Engine(Protocol):
    """Samples completions under one version of the weights."""

    @property
    def policy_version(self) -> int:
        """The version that is served. Raises EngineError while a load is incomplete."""
        ...

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """Sample the groups, in the order of ``requests``, each with one completion a seed.

        For an engine that has taken in no other work.
        """
        ...

    def add(self, key: int, requests: Sequence[GroupRequest], sampling: Sampling) -> None:
        """Take in a work item, which is answered under ``key`` by :meth:`advance`.

        It is sampled under the version that is served now; other weights may be loaded only when
        all that was taken in has been answered.
        """
        ...

    def advance(self, num_left: int = 0) -> Progress:
        """Sample until a work item has ended and at most ``num_left`` completions have not.

        An engine that does not sample items side by side answers all that it has taken in.
        """
        ...

    def drop(self) -> None:
        """Give up all work that was taken in and not answered."""
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
        """Leave the GPU to the learner: the cache is dropped, and the weights go to the host.

        Where ``EngineSettings.sleep_loses_weights`` says so, the weights are dropped as well.
        """
        ...

    def wake(self) -> None:
        """Come back to the GPU after :meth:`sleep`.

        The engine serves what it served before, or, where its weights were dropped, nothing until
        a version is loaded.
        """
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
            "halfway, or it slept and let them go. Publish a version before generating."
        )
    return version
