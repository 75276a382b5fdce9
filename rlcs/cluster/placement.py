"""Which process goes where: arithmetic over nodes and GPUs, before anything is started.

A process asks for a whole bundle of one node: an engine for its tensor-parallel GPUs and a CPU,
a rank for one GPU and a CPU. Without GPUs each has a CPU, and an engine no more workers than its
node has CPUs. Colocated, a rank and an engine share a GPU and use it alternately: the engine
sleeps while the rank learns. Ray reserves the bundles as they are computed here, and moves those of
a lost node to another one.

Left out: nodes that an autoscaler would add (what is not there yet is refused), and engines on
several GPUs that share them with ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rlcs.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A machine of the cluster."""

    name: str
    cpus: int
    gpus: int
    gpu_bytes: int | None = None
    """Memory of its smallest GPU; None where nobody asked, or it could not be told."""
    node_id: str = ""
    """Ray's name of it; empty where Ray was not asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """How many processes a run needs, and how large they are."""

    num_engines: int
    num_ranks: int
    engine_width: int = 1
    """GPUs of each engine; without GPUs, its workers."""
    weight_bytes: int = 0
    """Size of one version of the weights, as far as it is known."""

    @property
    def num_processes(self) -> int:
        """The number of Ray actors."""
        return self.num_engines + self.num_ranks

    @property
    def num_workers(self) -> int:
        """The number of processes that compute: each of an engine's workers counts."""
        return self.num_engines * self.engine_width + self.num_ranks


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A part of one node, and the processes that have it."""

    gpus: int
    engine: int | None = None
    """Number of the engine in it, None without one."""
    rank: int | None = None

    @property
    def cpus(self) -> int:
        """The CPUs of the bundle: one for each process in it."""
        return (self.engine is not None) + (self.rank is not None)

    @property
    def tenants(self) -> str:
        """The processes that have the bundle, in words."""
        engine = [] if self.engine is None else [f"engine {self.engine}"]
        rank = [] if self.rank is None else [f"rank {self.rank}"]
        return " + ".join([*rank, *engine])


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """The bundles of a run, each with the node that it lies on."""

    kind: str
    """``cpu``, ``separate`` or ``colocated``."""
    bundles: tuple[Bundle, ...]
    node_names: tuple[str, ...]
    """The node of each bundle."""

    def bundle_of(self, *, engine: int | None = None, rank: int | None = None) -> int:
        """Index of the bundle that holds an engine or a rank."""
        return next(
            index
            for index, bundle in enumerate(self.bundles)
            if (bundle.engine == engine if engine is not None else bundle.rank == rank)
        )


def place(needs: Needs, nodes: Sequence[Node], *, use_gpus: bool, kind: str = "auto") -> Placement:
    """Plan on which of ``nodes`` every process runs.

    ``kind`` is ``auto``, ``separate`` or ``colocated``; ``auto`` gives every process GPUs of its
    own if there are enough, and shares them otherwise.

    Raises:
        ConfigError: the nodes do not have what is needed.
    """
    _check_widest(needs, nodes, "GPU" if use_gpus else "CPU")
    if not use_gpus:
        bundles = [Bundle(gpus=0, rank=rank) for rank in range(needs.num_ranks)]
        bundles += [Bundle(gpus=0, engine=engine) for engine in range(needs.num_engines)]
        return _fit("cpu", bundles, nodes)
    kinds = ("separate", "colocated") if kind == "auto" else (kind,)
    refusals = []
    for each in kinds:
        try:
            return _fit(each, list(_bundles(needs, each)), nodes)
        except ConfigError as error:
            refusals.append(str(error))
    raise ConfigError(" ".join(refusals))


def describe_placement(placement: Placement, nodes: Sequence[Node]) -> str:
    """The placement as plain text, with a line for each bundle under its node."""
    lines = []
    for node in nodes:
        here = [
            bundle
            for bundle, name in zip(placement.bundles, placement.node_names, strict=True)
            if name == node.name
        ]
        lines.append(f"{node.name}  ({node.cpus} CPUs, {node.gpus} GPUs)")
        first = 0
        for bundle in here:
            last = first + bundle.gpus - 1
            gpus = f"GPU {first}" if last == first else f"GPUs {first}-{last}"
            lines.append(f"  {gpus if bundle.gpus else 'CPU':<9} {bundle.tenants}")
            first += bundle.gpus
        if first < node.gpus:
            lines.append(f"  {node.gpus - first} GPUs without work")
        elif not here:
            lines.append("  no process of this run")
    return "\n".join(lines)


def _check_widest(needs: Needs, nodes: Sequence[Node], unit: str) -> None:
    widest = max((node.gpus if unit == "GPU" else node.cpus for node in nodes), default=0)
    if needs.num_engines and needs.engine_width > widest:
        raise ConfigError(
            f"an engine over {needs.engine_width} {unit}s (tensor_parallel_size) needs them on one "
            f"node; the largest of the {len(nodes)} nodes has {widest}. Lower it to {widest} or "
            "less, or join a cluster with larger nodes."
        )


def _bundles(needs: Needs, kind: str) -> Iterator[Bundle]:
    """The widest first, so that they are placed while whole nodes are free."""
    if kind == "separate":
        for engine in range(needs.num_engines):
            yield Bundle(gpus=needs.engine_width, engine=engine)
        for rank in range(needs.num_ranks):
            yield Bundle(gpus=1, rank=rank)
        return
    if needs.engine_width > 1:
        raise ConfigError(
            "colocated engines have one GPU each: with tensor_parallel_size = "
            f"{needs.engine_width} they need GPUs of their own (hardware.placement=separate)."
        )
    for index in range(max(needs.num_engines, needs.num_ranks)):
        yield Bundle(
            gpus=1,
            engine=index if index < needs.num_engines else None,
            rank=index if index < needs.num_ranks else None,
        )


def _fit(kind: str, bundles: list[Bundle], nodes: Sequence[Node]) -> Placement:
    """Each bundle on the first node that has room."""
    gpus, cpus = {node.name: node.gpus for node in nodes}, {node.name: node.cpus for node in nodes}
    names = []
    for bundle in bundles:
        name = next(
            (
                node.name
                for node in nodes
                if gpus[node.name] >= bundle.gpus and cpus[node.name] >= bundle.cpus
            ),
            None,
        )
        if name is None:
            raise ConfigError(_refusal(kind, bundles, nodes, bundle))
        gpus[name] -= bundle.gpus
        cpus[name] -= bundle.cpus
        names.append(name)
    return Placement(kind=kind, bundles=tuple(bundles), node_names=tuple(names))


def _refusal(kind: str, bundles: list[Bundle], nodes: Sequence[Node], without: Bundle) -> str:
    num_engines = sum(bundle.engine is not None for bundle in bundles)
    num_ranks = sum(bundle.rank is not None for bundle in bundles)
    has = ", ".join(f"{node.name}: {node.cpus} CPUs and {node.gpus} GPUs" for node in nodes)
    need_gpus, need_cpus = (sum(getattr(b, name) for b in bundles) for name in ("gpus", "cpus"))
    hint = {
        "separate": "Use fewer engines or ranks, or let them share GPUs by "
        "hardware.placement=colocated.",
        "colocated": "Use fewer engines and ranks.",
        "cpu": "Use fewer rollout.num_actors or learner.num_ranks.",
    }[kind]
    return (
        f"{num_engines} engines and {num_ranks} ranks ({kind}) need {need_gpus} GPUs and "
        f"{need_cpus} CPUs; there is no room for {without.tenants} on {has or 'no node'}. {hint}"
    )
