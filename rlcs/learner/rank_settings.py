"""What a DeepSpeed rank is built from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlcs.config import (
    ImageTokensSection,
    LoraSection,
    OptimiserSection,
    RanksSection,
    TrainedSection,
)

if TYPE_CHECKING:
    from rlcs.cluster.ray_cluster import ProcessPlan

DEFAULT_BUCKET_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class RankInfo:
    """Which rank of how many a process is, and where the ranks meet."""

    rank: int
    num_ranks: int
    master_address: str
    master_port: int
    ranks_per_node: int = 0
    """With ranks on several nodes, how many each has; 0 with one node, or where they differ."""


def ranks_per_node(hosts: Sequence[str]) -> int:
    """How many ranks each node has if there are several and the ranks lie there in order, as many
    on each; else 0. ``hosts`` names the node of each rank."""
    runs = [len(list(group)) for _, group in itertools.groupby(hosts)]
    even = len(runs) == len(set(hosts)) and len(set(runs)) == 1
    return runs[0] if len(runs) > 1 and even else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RankSettings:
    """What every rank of a learner is built from."""

    model_path: str
    dtype: str
    device: str
    """``cpu`` or ``cuda``."""
    num_threads: int
    seed: int
    optimiser: OptimiserSection
    ranks: RanksSection
    trained: TrainedSection
    with_reference: bool = False
    """Keep the model as it was loaded, to tell how far the policy has moved: the model without its
    adapters, or a second copy."""
    bucket_bytes: int = DEFAULT_BUCKET_BYTES
    """Parameters are published in buckets of at most this size."""
    trust_code: bool = False
    """Whether Python files of the model folder may run."""
    image_tokens: ImageTokensSection | None = None
    """How many tokens one picture may become; None leaves it to the model folder."""

    @property
    def lora(self) -> LoraSection | None:
        """The adapters that alone are trained and published; None where weights are."""
        return self.trained.lora


@dataclass(frozen=True, kw_only=True, slots=True)
class Receivers:
    """The engines that take weights from GPU to GPU."""

    actors: tuple[Any, ...]
    """Handles of the rollout actors."""
    gpus_each: int
    """vLLM workers in each."""
    address: str
    port: int
    """Where NCCL's group meets: free on learner rank 0's node."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Names the actors: where one was replaced it differs, and the group has to meet again."""
        return tuple(str(actor) for actor in self.actors)


def rank_settings(
    *,
    model_path: str,
    dtype: str,
    trust_code: bool = False,
    image_tokens: ImageTokensSection | None = None,
    seed: int,
    optimiser: OptimiserSection,
    ranks: RanksSection,
    plan: ProcessPlan,
    bucket_bytes: int = DEFAULT_BUCKET_BYTES,
    trained: TrainedSection,
    with_reference: bool = False,
) -> RankSettings:
    """The settings of a run's ranks on the hardware that ``plan`` gives them."""
    return RankSettings(
        model_path=model_path,
        dtype=dtype,
        trust_code=trust_code,
        image_tokens=image_tokens,
        device=plan.device,
        num_threads=plan.num_threads,
        seed=seed,
        optimiser=optimiser,
        ranks=ranks,
        bucket_bytes=bucket_bytes,
        trained=trained,
        with_reference=with_reference,
    )
