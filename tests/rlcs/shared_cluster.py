"""One Ray cluster for all tests of a process, which takes a while to start."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from unittest import mock

from ray.cluster_utils import Cluster

NUM_CPUS = 8
"""Room for four engines and four ranks."""

TRIES = 3
"""Of a start, which a busy machine may miss."""


class SharedCluster:
    """A cluster that starts when it is first asked for.

    Drivers join it and leave it again. What a driver started there ends when it leaves, so the
    next finds the cluster as the first did.
    """

    @cached_property
    def _cluster(self) -> Cluster:
        # What rlcs gives a local cluster of its own.
        settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
        head = {
            "num_cpus": max(NUM_CPUS, os.cpu_count() or 1),
            "object_store_memory": 256 * 2**20,
            "include_dashboard": False,
        }
        with mock.patch.dict(os.environ, settings):
            for _ in range(TRIES - 1):
                # Ray gives a node 30 s to come up and has no type of its own for one that is late.
                with contextlib.suppress(Exception):
                    return Cluster(initialize_head=True, head_node_args=head)
            return Cluster(initialize_head=True, head_node_args=head)

    @property
    def address(self) -> str:
        """Where drivers join it."""
        address: str = self._cluster.address
        return address

    def stop(self) -> None:
        """End it if it was started."""
        if "_cluster" in vars(self):
            self._cluster.shutdown()
