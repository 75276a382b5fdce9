"""Ray actors around engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlcs.rollout.engine import Engine, GroupRequest, Sampling
from rlcs.stacks import ProcessPlace, announce
from rlcs.types import Completion
from rlcs.weights import Weights


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """What every engine of a pool is built from."""

    engine: str
    model_path: str
    dtype: str
    device: str
    num_threads: int
    batch_tokens: int
    eos_token_ids: tuple[int, ...]


def make_engine(settings: EngineSettings) -> Engine:
    """The engine that ``settings.engine`` names, in this process."""
    import torch

    from rlcs.rollout.transformers_engine import TransformersEngine

    torch.set_num_threads(settings.num_threads)
    return TransformersEngine(
        settings.model_path,
        dtype=settings.dtype,
        device=settings.device,
        batch_tokens=settings.batch_tokens,
        eos_token_ids=settings.eos_token_ids,
    )


class RolloutActor:
    """One engine in a process of its own."""

    def announce(self) -> ProcessPlace:
        """Where this process lives; from now on it tells its stack when asked."""
        return announce()

    def start(self, settings: EngineSettings) -> None:
        """Load the model. Not in ``__init__``, whose errors Ray reports as a dead actor."""
        self.engine = make_engine(settings)

    def load_weights(self, version: int, weights: Weights) -> None:
        self.engine.load_weights(version, weights)

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        return self.engine.generate(requests, sampling)
