"""Checks that the memory that a run needs is there, as far as this machine can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psutil

from rlcs.cluster.placement import Node, Placement
from rlcs.config import LoraSection, RunConfig
from rlcs.errors import ConfigError
from rlcs.files import readable
from rlcs.model.memory_plan import GIB, MemoryPlan, plan_memory


def memory_lines(
    config: RunConfig, placement: Placement | None, nodes: Sequence[Node]
) -> Iterator[str]:
    """The memory plan as lines of text, held against the smallest GPU of ``nodes``.

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
        return
    used = [node for node in nodes if node.name in placement.node_names]
    told = [node.gpu_bytes for node in used if node.gpu_bytes]
    if len(told) < len(used):
        yield f"{len(used) - len(told)} nodes could not tell the memory of their GPUs"
    if told:
        yield f"the smallest GPU has {readable(min(told))}"
        check_gpu(config, plan, placement, min(told))


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
    if plan.rank_bytes > has:
        raise ConfigError(_rank_too_large(config, plan, has))
    engine = plan.engine_bytes
    if config.rollout.engine == "vllm" and config.rollout.vllm.cache_gib is None:
        share = config.rollout.vllm.memory_share
        least = plan.engine["weights"] + plan.row_bytes
        _check_room("an engine with the cache for one row needs", least, "its share", share * has)
        engine = share * has
    _check_room("an engine needs", engine, "a GPU", has)
    if placement.kind == "colocated":
        # What the rank keeps for updates alone waits on the host while the engine works.
        together = plan.kept_bytes + engine
        _check_room("an engine and what a rank keeps need", together, "a GPU", has)


def _rank_too_large(config: RunConfig, plan: MemoryPlan, has: float) -> str:
    largest = max(plan.rank, key=lambda use: plan.rank[use])
    fitting = [
        f"{change} ({readable(bytes_then)})"
        for change, bytes_then in smaller_ranks(config)
        if bytes_then <= has
    ]
    return (
        f"a rank needs about {readable(plan.rank_bytes)}, and a GPU has {readable(has)}; the "
        f"largest part is {largest}: {readable(plan.rank[largest])}. "
        + (
            f"Any of these would fit: {', '.join(fitting)}."
            if fitting
            else "No ZeRO stage, frozen vision tower or adapters would make it fit: use more "
            "ranks, a smaller learner.micro_batch_tokens or a smaller model."
        )
    )


def smaller_ranks(config: RunConfig) -> Iterator[tuple[str, float]]:
    """Changes of the learner's settings, and the bytes that a rank would need with each alone."""
    learner = config.learner
    changes: dict[str, dict[str, Any]] = {}
    if learner.num_ranks > 1:
        for stage in range(learner.zero_stage + 1, 4):
            changes[f"learner.zero_stage={stage}"] = {"zero_stage": stage}
    if not learner.offload_optimizer:
        stage = max(2, learner.zero_stage)
        changes[f"learner.offload_optimizer=true with learner.zero_stage={stage}"] = {
            "offload_optimizer": True,
            "zero_stage": stage,
        }
    if not learner.recompute_activations:
        changes["learner.recompute_activations=true"] = {"recompute_activations": True}
    if learner.train == "all":
        changes["learner.train=language"] = {"train": "language"}
    if learner.lora is None:
        changes["learner.train=adapters"] = {"train": "adapters", "lora": LoraSection()}
    for name, change in changes.items():
        changed = config.model_copy(update={"learner": learner.model_copy(update=change)})
        yield name, plan_memory(changed, on_gpu=True).rank_bytes


def _check_room(needs: str, needed: float, where: str, has: float) -> None:
    if needed > has:
        raise ConfigError(
            f"{needs} about {readable(needed)}, and {where} has {readable(has)}: lower "
            "learner.micro_batch_tokens, rollout.batch_tokens, rollout.vllm.memory_share or "
            "rollout.vllm.cache_gib, raise learner.zero_stage or the number of ranks, or use a "
            "smaller model."
        )
