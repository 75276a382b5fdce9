"""The fork server: a process that has loaded what verifiers need, and of which workers are forked.

To load SymPy, Pint and SciPy takes more than a second of a core. This pays it once for a
process and all its pools, so that a worker that overran is replaced in milliseconds, and workers
share the memory of what is loaded. It runs one thread and none of the caller's code: a user's
verifier is imported by the fork.

Asked over a socket, with the worker's ends of its two pipes, the fork server answers with the
worker's process descriptor, made before the worker can have been reaped: a number could by then
be that of another process.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from io import RawIOBase
from typing import cast

LOADING_SECONDS = 60.0
LOOK_SECONDS = 0.5
"""Seconds between two looks whether the parent lives and which workers have ended."""
START_ATTEMPTS = 3
END_SECONDS = 2.0
"""Seconds that a fork server may take to end by itself."""

_PROGRAM = "import sys; from rewards.pool.fork_server import main; main(*map(int, sys.argv[1:]))"
_FORK = b"fork"
_PID_BYTES = 8
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

# The side of the caller


class _ForkServer:
    """A running fork server. Its calls are made by one thread at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # whatever is printed there must not land in the caller's output
                env=environment(),
                pass_fds=[theirs.fileno()],
            )
        self._channel = ours
        self._channel.settimeout(LOADING_SECONDS)

    def fork(self, requests: int, replies: int) -> tuple[int, int]:
        """Fork a worker that has these two ends of pipes; its number and its descriptor.

        Raises OSError or EOFError when the fork server does not answer.
        """
        socket.send_fds(self._channel, [_FORK], [requests, replies])
        answer, descriptors, _, _ = socket.recv_fds(self._channel, _PID_BYTES, 1)
        if not answer:
            raise EOFError
        return int.from_bytes(answer), descriptors[0]

    def end(self) -> None:
        """End it and all its workers."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)  # it may still be saying why it failed
        self._process.kill()
        self._process.wait()


_lock = threading.Lock()
_server: _ForkServer | None = None


def fork_worker(requests: int, replies: int) -> tuple[int, int]:
    """Fork a worker of this process's fork server, which is started where there is none.

    requests, replies: file descriptors of the worker's ends of its pipes; the caller closes its
    own copies. Returns the worker's process number, and a descriptor of the process that the caller
    owns. Raises RuntimeError when no fork server starts.
    """
    global _server
    with _lock:
        for _ in range(START_ATTEMPTS):
            if _server is None:
                _server = _ForkServer()
            try:
                return _server.fork(requests, replies)
            except (OSError, EOFError):  # killed from outside, or it cannot start
                _server.end()
                _server = None
        raise start_failure()


def start_failure() -> RuntimeError:
    """The error of processes that kept ending while they started."""
    return RuntimeError(
        f"a verifier process ended {START_ATTEMPTS} times while starting; its own error output "
        "says why"
    )


def module_path() -> list[str]:
    """Where this process finds modules."""
    return [entry or os.getcwd() for entry in sys.path]


def environment() -> dict[str, str]:
    """What a fork server or a worker finds in its environment: modules where this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(module_path()), **_ONE_THREAD}


def _end() -> None:
    global _server
    if _server is not None:
        _server.end()
        _server = None


def _forget() -> None:
    """A fork of the caller has no fork server: the one it sees is its parent's."""
    global _lock, _server
    _lock, _server = threading.Lock(), None


atexit.register(_end)
os.register_at_fork(after_in_child=_forget)


# The fork server's own side


def main(channel_descriptor: int, parent: int) -> None:
    """Load what verifiers need, then fork a worker whenever asked, while ``parent`` lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with contextlib.suppress(BrokenPipeError), socket.socket(fileno=channel_descriptor) as channel:
        _load()
        while os.getppid() == parent:
            asked, _, _ = select.select([channel], [], [], LOOK_SECONDS)
            _reap()
            if asked and not _fork_one(channel):
                break
    os._exit(0)  # to take down all that was loaded takes longer than this process has left


def _load() -> None:
    from rewards.math.evaluating import symbolic, units
    from rewards.registry import Registry

    Registry().warm_up()
    symbolic.warm_up()
    units.registry()
    gc.freeze()  # a collection in a worker would copy what it shares with the others


def _reap() -> None:
    """Take the exit status of workers that ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _fork_one(channel: socket.socket) -> bool:
    """Fork a worker if the caller asks for one; False when it has closed its side."""
    message, descriptors, _, _ = socket.recv_fds(channel, len(_FORK), 2)
    if not message:
        return False
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_worker(channel, descriptors, server)
    process = os.pidfd_open(pid)
    socket.send_fds(channel, [pid.to_bytes(_PID_BYTES)], [process])
    for descriptor in (*descriptors, process):
        os.close(descriptor)
    return True


def _become_worker(channel: socket.socket, descriptors: list[int], server: int) -> None:
    """Serve as a worker, and end without what the fork server would do at its end."""
    from rewards.pool.worker import serve

    status = 1
    try:
        channel.close()
        requests = cast(RawIOBase, os.fdopen(descriptors[0], "rb", buffering=0))
        replies = cast(RawIOBase, os.fdopen(descriptors[1], "wb", buffering=0))
        serve(requests, replies, server)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)
