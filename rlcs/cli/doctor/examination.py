"""``rlcs doctor``: everything that can be known about a run before anything starts."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from transformers import AutoConfig

from rewards.shown import shown
from rlcs.cli.doctor.disk_check import disk_lines
from rlcs.cli.doctor.memory_check import memory_lines
from rlcs.cluster.gpu_memory import smallest_gpu
from rlcs.cluster.placement import Node, Placement, describe_placement, place
from rlcs.cluster.placement_rules import check_placement
from rlcs.cluster.ray_cluster import (
    cluster_nodes,
    join_cluster,
    stop_cluster,
    wants_gpus,
    with_gpu_memory,
)
from rlcs.config import RunConfig
from rlcs.errors import ConfigError, ModelError, RlcsError
from rlcs.model.loading import load_part
from rlcs.rollout.actors import check_engine
from rlcs.run.screen import Screen
from rlcs.run.trackers import check_packages
from rlcs.training.data import load_training_data, make_run_curriculum
from rlcs.training.workers import needs_of

PROBLEMS_FOUND = 1

PACKAGES = ("torch", "transformers", "ray", "deepspeed", "vllm")


def examine_run(config: RunConfig, *, assumed: Sequence[Node] | None = None) -> int:
    """Look the run of ``config`` over; returns 0, or 1 when it would not start or not fit.

    The nodes are those ``assumed``, those of the cluster that the configuration names, or else
    this machine.
    """
    report = Report()
    with report.section("batch"):
        for line in batch_lines(config):
            print(shown(line))
    nodes: list[Node] = []
    placement: Placement | None = None
    with report.section("placement"):
        nodes = list(assumed) if assumed else find_nodes(config)
        use_gpus = wants_gpus(config.hardware, nodes)
        placement = place(
            needs_of(config), nodes, use_gpus=use_gpus, kind=config.hardware.placement
        )
        print(f"{placement.kind}, {config.schedule.kind} schedule")
        print(shown(describe_placement(placement, nodes)))
        check_placement(config, placement)
    with report.section("memory"):
        for line in memory_lines(config, placement, nodes):
            print(shown(line))
    if assumed is None:
        with report.section("disk"):
            for line in disk_lines(config):
                print(shown(line))
    with report.section("packages"):
        for name in PACKAGES:
            print(f"{name} {_version(name)}")
        check_packages(config.tracking)
        check_engine(config.rollout)
        if config.rollout.engine == "vllm":
            check_vllm_model(config)
    with report.section("data"):
        for line in data_lines(config):
            print(shown(line))
    return report.end()


@dataclass
class Report:
    """Prints sections, each of which may fail; all problems are listed at the end."""

    problems: list[str] = field(default_factory=list)

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Print a heading; an error within is noted as a problem."""
        print(f"== {title}")
        try:
            yield
        except RlcsError as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
            print("see below")

    def end(self) -> int:
        """Print what was noted; returns the exit status."""
        print()
        for problem in self.problems:
            print(f"problem: {shown(problem)}")
        print("this run would fail as it is" if self.problems else "nothing stands in the way")
        return PROBLEMS_FOUND if self.problems else 0


def batch_lines(config: RunConfig) -> Iterator[str]:
    """How many completions a step samples and learns from, as lines of text.

    Raises:
        ConfigError: the run folder exists already.
    """
    groups, size = config.run.groups_per_step, config.rollout.group_size
    updates, ranks = config.learner.updates_per_step, config.learner.num_ranks
    samples = groups * size
    longest = config.rollout.max_row_tokens
    yield f"{groups} groups x {size} completions = {samples} samples a step, of valid groups"
    yield (
        f"{updates} updates of {samples // updates} samples, "
        f"{samples // updates / ranks:g} a rank ({ranks} ranks)"
    )
    yield (
        f"a row is at most {longest} tokens: "
        f"{max(1, config.learner.micro_batch_tokens // longest)} or more of them a micro-batch, "
        f"{config.rollout.batch_tokens // longest} or more an engine"
    )
    if folder := _taken_folder(config):
        raise ConfigError(
            f"the run folder {folder} exists already; use another run.name, or --resume."
        )


def _taken_folder(config: RunConfig) -> Path | None:
    folder = Path(config.run.folder) / config.run.name
    return folder if folder.exists() else None


def find_nodes(config: RunConfig) -> list[Node]:
    """The nodes of the cluster that the run would join, or this machine."""
    address = config.hardware.ray_address or os.environ.get("RAY_ADDRESS")
    if address is None:
        num_processes = needs_of(config).num_processes
        # A local cluster counts as many CPUs as there are processes.
        cpus = max(os.cpu_count() or 1, num_processes)
        gpus = torch.cuda.device_count()
        memory = smallest_gpu() if gpus else None
        return [Node(name=platform.node(), cpus=cpus, gpus=gpus, gpu_bytes=memory)]
    join_cluster(address)
    try:
        return with_gpu_memory(cluster_nodes())
    finally:
        stop_cluster()


def data_lines(config: RunConfig) -> Iterator[str]:
    """What a run would load, as lines of text: every row is read, every reference checked."""
    with Screen(console=Console(stderr=True)):
        training_data = load_training_data(config)
    with closing(training_data):
        make_run_curriculum(config, training_data.problems, {})
        num_train, num_heldout = len(training_data.problems), len(training_data.heldout)
        sides = (training_data.problems, training_data.heldout)
        found = [side.columns.tokens for side in sides if side.columns.tokens is not None]
        prompts = np.concatenate(found)
        yield f"{num_train} problems to train on, {num_heldout} held out"
        yield f"prompts of {prompts.min()} to {prompts.max()} tokens"
        yield from training_data.notes
        for name, count in sorted(training_data.problems.shares().items()):
            yield f"  {count:>8}  {name}"


def check_vllm_model(config: RunConfig) -> None:
    """Check that vLLM knows the model's architecture and can shard it over an engine's GPUs.

    Raises:
        ModelError: it does not know it, or cannot shard it.
    """
    import vllm

    try:
        settings = load_part(AutoConfig, config.model.path, trust_code=config.model.trust_code)
    except (OSError, ValueError):
        return  # the section about memory reports it
    known = vllm.ModelRegistry.get_supported_archs()
    names = settings.architectures or []
    if not set(names) & set(known):
        raise ModelError(
            f"vLLM {vllm.__version__} does not know the architecture "
            f"{', '.join(names) or '(none named)'} of {config.model.path}. Use "
            "rollout.engine=transformers, or another vLLM."
        )
    width, heads = config.rollout.engine_width, settings.get_text_config().num_attention_heads
    if heads % width:
        raise ModelError(
            f"rollout.vllm.tensor_parallel_size = {width} does not divide the {heads} attention "
            f"heads of {config.model.path}. Use a divisor of {heads}."
        )


def _version(package: str) -> str:
    for name in (package, f"{package}-cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "is not installed"
