"""What a process that stopped answering is doing: the Python stack of all its threads.

The process writes it itself, on a signal: that works while it is stuck in C code or holds the
interpreter's lock, and needs no right to trace other processes. One that is stopped, or waits
in the kernel, does not react; then its state says so.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rlcs.files import writing

WRITE_SECONDS = 2.0
"""Seconds within which a process that is able to write its stack does so."""

ASK_SECONDS = 20.0
"""Seconds for a helper process to start on the node and look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLocation:
    """Where an actor lives."""

    pid: int
    node_id: str
    host: str


def announce() -> ProcessLocation:
    """Called by an actor at its start: from now on it writes its stack when asked to."""
    pid = os.getpid()
    path = _stack_path(pid)
    with writing("a file for its stack", path.parent):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        file = path.open("w")
    faulthandler.register(signal.SIGUSR2, file=file, all_threads=True)
    return ProcessLocation(
        pid=pid,
        node_id=ray.get_runtime_context().get_node_id(),
        host=socket.gethostname(),
    )


def stack_of(location: ProcessLocation) -> str:
    """The stack of the process at ``location``; why there is none when it cannot be had."""
    looker = ray.remote(_look).options(
        num_cpus=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(location.node_id, soft=False),
    )
    try:
        stack: str = ray.get(looker.remote(location.pid), timeout=ASK_SECONDS)
    except ray.exceptions.RayError as error:
        return f"(its node does not answer either: {type(error).__name__})"
    return stack


def _look(pid: int) -> str:
    path = _stack_path(pid)
    try:
        process = psutil.Process(pid)
        before = path.stat().st_size
        if process.status() == psutil.STATUS_STOPPED:
            return "(the process is stopped by a signal)"
        process.send_signal(signal.SIGUSR2)
        until, size = time.monotonic() + WRITE_SECONDS, before
        while time.monotonic() < until:
            time.sleep(0.2)
            # It has written, and nothing was added meanwhile: the stack is whole.
            if size == (size := path.stat().st_size) != before:
                return path.read_text()[before:]
        return f"(the process does not react; its state is {process.status()})"
    except (psutil.Error, OSError) as error:
        return f"(no process to look at: {error})"


def _stack_path(pid: int) -> Path:
    return Path(tempfile.gettempdir()) / f"rlcs-stacks-{os.getuid()}" / f"{pid}.txt"
