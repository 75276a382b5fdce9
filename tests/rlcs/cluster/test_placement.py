"""Where processes go: arithmetic over nodes, and Ray holding to it on declared GPUs."""

from __future__ import annotations

import socket
from collections import Counter

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st
from ray.cluster_utils import Cluster

from rlcs.cluster.placement import Needs, Node, describe_placement, place
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import HardwareSection
from rlcs.errors import ConfigError, EngineError

TWO_NODES = [Node(name="a", cpus=16, gpus=4), Node(name="b", cpus=16, gpus=2)]

# engines, GPUs each, ranks, kind asked for; kind found, bundles on a, bundles on b
PLACED = [
    pytest.param(2, 1, 4, "auto", "separate", 4, 2, id="enough GPUs for all"),
    pytest.param(1, 4, 2, "auto", "separate", 1, 2, id="an engine fills a node"),
    pytest.param(6, 1, 6, "auto", "colocated", 4, 2, id="shared where there are too few"),
    pytest.param(2, 1, 4, "colocated", "colocated", 4, 0, id="shared where asked to"),
    pytest.param(1, 2, 1, "separate", "separate", 2, 0, id="some GPUs without work"),
]


@pytest.mark.parametrize(("engines", "width", "ranks", "asked", "kind", "on_a", "on_b"), PLACED)
def test_every_process_has_a_place(engines, width, ranks, asked, kind, on_a, on_b) -> None:
    needs = Needs(num_engines=engines, num_ranks=ranks, engine_width=width)
    placement = place(needs, TWO_NODES, use_gpus=True, kind=asked)
    assert placement.kind == kind
    assert Counter(placement.node_names) == Counter({"a": on_a, "b": on_b})
    assert sorted(b.rank for b in placement.bundles if b.rank is not None) == list(range(ranks))
    text = describe_placement(placement, TWO_NODES)
    for number in range(engines):
        assert f"engine {number}" in text


REFUSED = [
    pytest.param(
        1, 8, 1, "auto", r"an engine over 8 GPUs .* largest of the 2 nodes has 4", id="too wide"
    ),
    pytest.param(2, 4, 0, "separate", r"no room for engine 1 on a: .*4 GPUs, b", id="one too many"),
    pytest.param(4, 1, 4, "separate", r"hardware\.placement=colocated", id="share instead"),
    pytest.param(9, 1, 4, "auto", r"no room for engine 6", id="too few even when shared"),
    pytest.param(1, 2, 6, "auto", r"tensor_parallel_size = 2", id="wide engines do not share"),
]


@pytest.mark.parametrize(("engines", "width", "ranks", "asked", "message"), REFUSED)
def test_what_cannot_be_placed_is_refused(engines, width, ranks, asked, message) -> None:
    needs = Needs(num_engines=engines, num_ranks=ranks, engine_width=width)
    with pytest.raises(ConfigError, match=message):
        place(needs, TWO_NODES, use_gpus=True, kind=asked)


def test_cpus_are_counted_too() -> None:
    nodes = [Node(name="a", cpus=2, gpus=0), Node(name="b", cpus=1, gpus=0)]
    placement = place(Needs(num_engines=2, num_ranks=1), nodes, use_gpus=False)
    assert (placement.kind, placement.node_names) == ("cpu", ("a", "a", "b"))
    with pytest.raises(ConfigError, match=r"need 0 GPUs and 4 CPUs; there is no room for engine 2"):
        place(Needs(num_engines=3, num_ranks=1), nodes, use_gpus=False)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 8)), min_size=1, max_size=4),
    st.integers(0, 6),
    st.integers(1, 4),
    st.integers(0, 6),
)
def test_no_node_is_given_more_than_it_has(shapes, engines, width, ranks) -> None:
    nodes = [Node(name=str(i), cpus=cpus, gpus=gpus) for i, (cpus, gpus) in enumerate(shapes)]
    needs = Needs(num_engines=engines, num_ranks=ranks, engine_width=width)
    try:
        placement = place(needs, nodes, use_gpus=True)
    except ConfigError:
        return
    for node in nodes:
        here = [
            bundle
            for bundle, name in zip(placement.bundles, placement.node_names, strict=True)
            if name == node.name
        ]
        assert sum(bundle.gpus for bundle in here) <= node.gpus
        assert sum(bundle.cpus for bundle in here) <= node.cpus
    for number in range(engines):
        assert placement.bundles[placement.bundle_of(engine=number)].engine == number
    for number in range(ranks):
        assert placement.bundles[placement.bundle_of(rank=number)].rank == number


@pytest.fixture(scope="module")
def gpu_cluster():
    """Two real nodes that declare GPUs they do not have."""
    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "num_gpus": 2})
    cluster.add_node(num_cpus=4, num_gpus=1)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


class Looker:
    """Tells what its process was given."""

    def look(self) -> tuple[str, tuple[str, ...]]:
        context = ray.get_runtime_context()
        return context.get_node_id(), tuple(context.get_accelerator_ids()["GPU"])


def given_to(plan, needs: Needs) -> tuple[list, list]:
    """What each engine and each rank sees."""
    options = [plan.engine_options(number) for number in range(needs.num_engines)]
    options += [plan.rank_options(number) for number in range(needs.num_ranks)]
    actors = [ray.remote(Looker).options(**each).remote() for each in options]
    seen = ray.get([actor.look.remote() for actor in actors], timeout=120)
    return seen[: needs.num_engines], seen[needs.num_engines :]


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "engines", "width", "ranks"), [("separate", 1, 2, 1), ("colocated", 3, 1, 3)]
)
def test_ray_gives_what_was_planned(gpu_cluster, kind, engines, width, ranks) -> None:
    hardware = HardwareSection(ray_address=gpu_cluster.address, placement=kind)
    needs = Needs(num_engines=engines, num_ranks=ranks, engine_width=width)
    plan = start_cluster(hardware, needs)
    try:
        assert plan.device == "cuda"
        engines_see, ranks_see = given_to(plan, needs)
    finally:
        stop_cluster()
    if kind == "colocated":
        assert engines_see == ranks_see
        assert len(set(engines_see)) == 3
    else:
        ((engine_node, engine_gpus),), ((rank_node, rank_gpus),) = engines_see, ranks_see
        assert (len(engine_gpus), len(rank_gpus)) == (2, 1)
        assert engine_node != rank_node


@pytest.mark.long
def test_a_cluster_refuses_before_anything_starts(gpu_cluster) -> None:
    hardware = HardwareSection(ray_address=gpu_cluster.address)
    with pytest.raises(ConfigError, match=r"an engine over 4 GPUs"):
        start_cluster(hardware, Needs(num_engines=1, num_ranks=1, engine_width=4))
    assert not ray.is_initialized()


def test_somebody_else_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hardware = HardwareSection(ray_address=f"127.0.0.1:{port}")
        with pytest.raises(EngineError, match="something listens there, but it is not Ray"):
            start_cluster(hardware, Needs(num_engines=1, num_ranks=1))


def test_nobody_at_the_address() -> None:
    hardware = HardwareSection(ray_address="127.0.0.1:1")
    with pytest.raises(EngineError, match=r"expected a Ray cluster at 127\.0\.0\.1:1, found none"):
        start_cluster(hardware, Needs(num_engines=1, num_ranks=1))
