"""The Ray cluster: starting or joining it, and what each process gets of it.

A run on a laptop starts a local cluster. The same code joins a running one when
``hardware.ray_address`` or ``RAY_ADDRESS`` names it, which is also how it behaves inside
``ray job submit``.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
import ray
import torch
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import (
    NodeAffinitySchedulingStrategy,
    PlacementGroupSchedulingStrategy,
)

from rlcs.cluster.fetch import free_resources
from rlcs.cluster.gpu_memory import smallest_gpu
from rlcs.cluster.machine import RAY_SOCKET, give_token, socket_folder, start_problem
from rlcs.cluster.placement import Needs, Node, Placement, place
from rlcs.config import HardwareSection
from rlcs.errors import ConfigError, EngineError, StorageError, first_line
from rlcs.files import writing

RESERVE_SECONDS = 60
"""Seconds that a cluster that is large enough may be busy before a run gives up."""

ASK_SECONDS = 60.0
"""Seconds for all nodes to answer a question: a worker process may have to start on each."""

LOOK_SECONDS = 2
"""Seconds between two looks at a cluster that lost nodes."""

SAY_SECONDS = 30
"""Seconds between two lines that say what it lacks."""

KNOCK_SECONDS = 10
"""Seconds that a cluster's address, or a node's, may take to accept a connection."""

OBJECT_STORE_BYTES = 256 * 2**20
"""Least size of a local CPU cluster's object store, in which completions travel."""

STORED_VERSIONS = 3
"""Copies of the weights that a local CPU cluster's store has room for in addition."""

SPIN_COUNT = "1000"
"""Rounds that a waiting OpenMP thread spins before it sleeps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessPlan:
    """What each engine and each rank runs on."""

    device: str
    """``cpu`` or ``cuda``."""
    num_threads: int
    placement: Placement
    group: Any = None
    """Ray's placement group with the bundles of ``placement``; None on CPUs, which any node has."""

    def engine_options(self, engine: int) -> dict[str, Any]:
        """Options for ``ActorClass.options`` of an engine."""
        return self._options(self.placement.bundle_of(engine=engine))

    def rank_options(self, rank: int) -> dict[str, Any]:
        """Options for ``ActorClass.options`` of a rank."""
        return self._options(self.placement.bundle_of(rank=rank))

    def _options(self, index: int) -> dict[str, Any]:
        bundle = self.placement.bundles[index]
        options: dict[str, Any] = {
            "num_cpus": 1,
            "num_gpus": bundle.gpus / bundle.cpus,  # shared by those in the bundle
            "runtime_env": {"env_vars": self._environment()},
        }
        if self.group is not None:
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                self.group, placement_group_bundle_index=index
            )
        return options

    def _environment(self) -> dict[str, str]:
        """What OpenMP must know before torch is imported.

        Waiting threads spin for some microseconds and then sleep. Spinning long, as is the
        default, takes the cores from those that work beside any other busy process, and a step
        takes up to ten times as long; sleeping at once costs a third more on an idle machine.
        """
        threads = str(self.num_threads)
        return {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "GOMP_SPINCOUNT": SPIN_COUNT,
            "TOKENIZERS_PARALLELISM": "false",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long a run that lost processes waits for the nodes that it had."""

    seconds: float
    say: Callable[[str], None]
    """Called with a line that says what is missing, twice a minute at most."""


def start_cluster(
    hardware: HardwareSection, needs: Needs, patience: Patience | None = None
) -> ProcessPlan:
    """Join or start a Ray cluster, and plan where in it each process of a run goes.

    With ``patience`` a cluster without room for all processes is given time to have it.

    Raises:
        EngineError: there is no cluster at the address, or it has no GPU and ``cuda`` is wanted;
            or none starts here.
        StorageError: the disk with the temporary folder is full, read-only or gone.
        ConfigError: the cluster has no room for all processes.
    """
    # Telemetry and the dashboard's side processes are of no use to a run and cost memory.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray lowers its workers' priority by 15; here they do the work itself.
    os.environ.setdefault("RAY_worker_niceness", "0")
    address = hardware.ray_address or os.environ.get("RAY_ADDRESS")
    if address:
        join_cluster(address)
    else:
        _start_local(needs)
    try:
        return _plan_patiently(hardware, needs, patience) if patience else _plan(hardware, needs)
    except BaseException:
        ray.shutdown()
        raise


def _plan_patiently(hardware: HardwareSection, needs: Needs, patience: Patience) -> ProcessPlan:
    until, said = time.monotonic() + patience.seconds, -math.inf
    while True:
        try:
            return _plan(hardware, needs, only_answering=True)
        except (ConfigError, EngineError) as error:
            left = until - time.monotonic()
            if left <= 0:
                raise EngineError(
                    f"waited {patience.seconds:.0f} s (faults.wait_for_nodes_seconds) for the "
                    f"cluster to have enough nodes again, but: {error}"
                ) from error
            if time.monotonic() >= said + SAY_SECONDS:
                said = time.monotonic()
                patience.say(f"waiting for nodes, {left:.0f} s at most: {error}")
            time.sleep(min(LOOK_SECONDS, left))


def _plan(hardware: HardwareSection, needs: Needs, *, only_answering: bool = False) -> ProcessPlan:
    nodes = cluster_nodes(only_answering=only_answering)
    use_gpus = wants_gpus(hardware, nodes)
    placement = place(needs, nodes, use_gpus=use_gpus, kind=hardware.placement)
    return ProcessPlan(
        device="cuda" if use_gpus else "cpu",
        num_threads=hardware.threads_per_process or _num_threads(needs, use_gpus),
        placement=placement,
        group=_reserve(placement) if use_gpus else None,
    )


def _num_threads(needs: Needs, use_gpus: bool) -> int:
    """All cores on CPUs, where processes compute alternately; a share where GPUs do the work."""
    cpus = os.cpu_count() or 1
    return max(1, cpus // needs.num_workers) if use_gpus else cpus


def cluster_nodes(*, only_answering: bool = False) -> list[Node]:
    """The nodes of the cluster that this process has joined, the driver's own first.

    A node that died counts for up to a minute more, unless ``only_answering`` leaves it out.
    """
    here = ray.get_runtime_context().get_node_id()
    alive = [
        node for node in ray.nodes() if node["Alive"] and (not only_answering or _answers(node))
    ]
    return [
        Node(
            name=f"{node['NodeManagerHostname']} {node['NodeID'][:6]}",
            cpus=int(node["Resources"].get("CPU", 0)),
            gpus=int(node["Resources"].get("GPU", 0)),
            node_id=node["NodeID"],
        )
        for node in sorted(alive, key=lambda node: (node["NodeID"] != here, node["NodeID"]))
    ]


def with_gpu_memory(nodes: Sequence[Node]) -> list[Node]:
    """``nodes`` of the cluster that this process has joined, each with its smallest GPU's memory.

    A node that does not answer in time, or has no tool of the driver, is left as it is.
    """
    asked = {
        index: ray.remote(num_cpus=0)(smallest_gpu)
        .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.node_id, soft=False))
        .remote()
        for index, node in enumerate(nodes)
        if node.gpus
    }
    if not asked:
        return list(nodes)
    answered, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=ASK_SECONDS)
    told = list(nodes)
    for index, answer in asked.items():
        if answer in answered:
            told[index] = dataclasses.replace(nodes[index], gpu_bytes=ray.get(answer))
    return told


def _answers(node: dict[str, Any]) -> bool:
    """Whether the process that stands for a node accepts a connection."""
    address = node["NodeManagerAddress"], node["NodeManagerPort"]
    try:
        socket.create_connection(address, timeout=KNOCK_SECONDS).close()
    except OSError:
        return False
    return True


def wants_gpus(hardware: HardwareSection, nodes: Sequence[Node]) -> bool:
    """Whether processes get GPUs: if there are any, unless ``device`` is ``cpu``.

    Raises:
        EngineError: ``device`` is ``cuda`` and no node has a GPU.
    """
    has_gpus = any(node.gpus for node in nodes)
    if hardware.device == "cuda" and not has_gpus:
        raise EngineError(
            "hardware.device = cuda, but this Ray cluster has no GPU. "
            "Use hardware.device=cpu, or join a cluster with GPUs by hardware.ray_address."
        )
    return has_gpus and hardware.device != "cpu"


def _reserve(placement: Placement) -> Any:
    """Reserve all bundles at once, or none: half a run would hold GPUs and never start."""
    group = placement_group(
        [{"CPU": bundle.cpus, "GPU": bundle.gpus} for bundle in placement.bundles], strategy="PACK"
    )
    if not group.wait(RESERVE_SECONDS):
        remove_placement_group(group)
        raise EngineError(
            f"waited {RESERVE_SECONDS} s for the cluster to give {len(placement.bundles)} bundles "
            f"of GPUs, found {free_resources()} free. Wait until what uses the others has ended, "
            "or use fewer engines and ranks."
        )
    return group


def stop_cluster() -> None:
    """Leave Ray; a local cluster ends with it."""
    ray.shutdown()


def join_cluster(address: str) -> None:
    """Connect to a running cluster.

    Raises:
        EngineError: there is none at ``address``, or it does not let us in.
    """
    try:
        _knock(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except ray.exceptions.AuthenticationError as error:
        raise EngineError(
            f"the Ray cluster at {address} does not take the token: {first_line(error)} Put its "
            "token (on its head node: ~/.ray/auth_token) into RAY_AUTH_TOKEN."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(
            f"expected a Ray cluster at {address}, found none that answers: {first_line(error)}. "
            "Start one with `ray start --head`, or leave hardware.ray_address out. If it runs, it "
            "may not take the token: put that of its head node (~/.ray/auth_token) into "
            "RAY_AUTH_TOKEN."
        ) from error


def _knock(address: str) -> None:
    """Fail within seconds if no Ray listens at ``address``; Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        return
    socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=KNOCK_SECONDS)
        except grpc.FutureTimeoutError as error:
            raise OSError(
                "something listens there, but it is not Ray (its dashboard has another port; the "
                "cluster's own is 6379 unless another was chosen)"
            ) from error


def _start_local(needs: Needs) -> None:
    """Start Ray, twice if need be: a busy machine may miss the 30 s it gives its own processes."""
    folder = socket_folder(RAY_SOCKET) / "ray"
    give_token()
    for last in (False, True):
        try:
            with writing("Ray's files", folder):
                _init_local(needs, folder)
            return
        except Exception as error:  # Ray has no type of its own for a node that does not come up
            ray.shutdown()
            if isinstance(error, StorageError):
                raise
            if last:
                raise start_problem(error, folder) from error


def _init_local(needs: Needs, folder: Path) -> None:
    ray.init(
        address="local",
        num_cpus=max(os.cpu_count() or 1, needs.num_processes),
        object_store_memory=_store_bytes(needs),
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        _temp_dir=str(folder),
    )


def _store_bytes(needs: Needs) -> int | None:
    """The size of the object store: Ray's own choice if there are GPUs, little on a laptop."""
    if torch.cuda.is_available():
        return None
    wanted = OBJECT_STORE_BYTES + STORED_VERSIONS * needs.weight_bytes
    return max(OBJECT_STORE_BYTES, min(wanted, psutil.virtual_memory().total // 3))
