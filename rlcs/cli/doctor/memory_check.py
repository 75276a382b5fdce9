"""Checks that the memory that a run needs is there, as far as this machine can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psutil
import torch

from rlcs.cluster.placement import Node, Placement
from rlcs.config import RunConfig
from rlcs.errors import ConfigError
from rlcs.files import readable
from rlcs.model.memory_plan import GIB, MemoryPlan, plan_memory


def memory_lines(
    config: RunConfig, placement: Placement | None, nodes: Sequence[Node]
) -> Iterator[str]:
    """The memory plan as lines of text; the memory of other machines is not known here.

    Raises:
        ConfigError: the run does not fit into the memory.
    """
    on_gpu = placement is not None and placement.kind != "cpu"
    plan = plan_memory(config, on_gpu=on_gpu)
    yield from plan.lines()
    _check_cache(config, plan)
    if placement is None:
        return
    if placement.kind == "cpu":
        if len(nodes) == 1:
            yield _check_machine(config, plan)
    elif torch.cuda.is_available():
        has = torch.cuda.get_device_properties(0).total_memory
        check_gpu(config, plan, placement, has)
        yield f"a GPU here has {readable(has)}"


def _check_cache(config: RunConfig, plan: MemoryPlan) -> None:
    cache_gib = config.rollout.vllm.cache_gib
    if config.rollout.engine == "vllm" and cache_gib and cache_gib * GIB < plan.row_bytes:
        raise ConfigError(
            f"rollout.vllm.cache_gib = {cache_gib} has no room for one row, which needs "
            f"{readable(plan.row_bytes)}. Raise it, or lower rollout.max_thinking_tokens."
        )


def _check_machine(config: RunConfig, plan: MemoryPlan) -> str:
    ranks, engines = config.learner.num_ranks, config.rollout.num_actors
    total = plan.rank_bytes * ranks + plan.engine_bytes * engines * config.rollout.engine_width
    has = psutil.virtual_memory().total
    _check_room("the processes of the run need", total, "this machine", has)
    return f"together {readable(total)}, of {readable(has)} here"


def check_gpu(config: RunConfig, plan: MemoryPlan, placement: Placement, has: float) -> None:
    """Check that GPUs of ``has`` bytes are enough.

    Raises:
        ConfigError: they are not.
    """
    _check_room("a rank needs", plan.rank_bytes, "a GPU", has)
    engine = plan.engine_bytes
    if config.rollout.engine == "vllm" and config.rollout.vllm.cache_gib is None:
        share = config.rollout.vllm.memory_share
        least = plan.engine["weights"] + plan.row_bytes
        _check_room("an engine with the cache for one row needs", least, "its share", share * has)
        engine = share * has
    _check_room("an engine needs", engine, "a GPU", has)
    if placement.kind == "colocated":
        # While it works the rank keeps its weights and state; only the engine goes to sleep.
        together = plan.kept_bytes + engine
        _check_room("an engine and what a rank keeps need", together, "a GPU", has)


def _check_room(needs: str, needed: float, where: str, has: float) -> None:
    if needed > has:
        raise ConfigError(
            f"{needs} about {readable(needed)}, and {where} has {readable(has)}: lower "
            "learner.micro_batch_tokens, rollout.batch_tokens, rollout.vllm.memory_share or "
            "rollout.vllm.cache_gib, raise learner.zero_stage or the number of ranks, or use a "
            "smaller model."
        )
