"""Workers are forks of one process that has loaded everything, and outlive none of its faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rewards import Outcome, Request, SettingsError, VerifierPool

FOUR = Request(domain="math", response="4", reference="4", bare=True)


def worker_of(pool: VerifierPool) -> psutil.Process:
    """The pool's first worker."""
    return psutil.Process(next(slot.pid for slot in pool._idle if slot is not None))


def server_of(pool: VerifierPool) -> psutil.Process:
    """What that worker is a fork of."""
    server = worker_of(pool).parent()
    assert server is not None
    return server


def passes(pool: VerifierPool) -> bool:
    return pool.judge([FOUR])[0].outcome is Outcome.CORRECT


def within(seconds: float, sign: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not sign() and time.monotonic() < until:
        time.sleep(0.02)
    return sign()


def test_all_pools_of_a_process_share_one() -> None:
    with VerifierPool() as one, VerifierPool() as other:
        assert passes(one)
        assert passes(other)
        server = server_of(one)
        assert server == server_of(other)
        assert server.ppid() == os.getpid()
        assert server.num_threads() == 1, "a fork keeps no other thread, but what it had locked"


def test_one_that_is_killed_is_replaced_and_its_workers_end() -> None:
    with VerifierPool() as pool:
        assert passes(pool)
        server = server_of(pool)
        worker = worker_of(pool)
        server.kill()
        assert within(10, lambda: not worker.is_running() or worker.status() == "zombie")
        assert passes(pool)
        assert server_of(pool) != server


def test_a_fork_of_the_caller_has_its_own() -> None:
    program = """
import os
from rewards import Request, VerifierPool
from rewards.pool import fork_server
four = Request(domain="math", response="4", reference="4", bare=True)
with VerifierPool() as pool:
    pool.judge([four])
before = fork_server._server._process.pid
if os.fork() == 0:
    with VerifierPool() as pool:
        passed = pool.judge([four])[0].outcome.value == "correct"
    after = fork_server._server._process.pid
    os._exit(0 if passed and after != before else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
with VerifierPool() as pool:
    assert pool.judge([four])[0].outcome.value == "correct"
assert fork_server._server._process.pid == before
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_nothing_is_left_of_a_process_that_ends() -> None:
    program = """
from rewards import Request, VerifierPool
from rewards.pool import fork_server
pool = VerifierPool()  # and never closed
pool.judge([Request(domain="math", response="4", reference="4", bare=True)])
print(fork_server._server._process.pid, pool._idle[0].pid)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    pids = set(map(int, done.stdout.split()))
    assert within(10, lambda: pids.isdisjoint(psutil.pids()))


def test_one_that_cannot_start_says_so(tmp_path: Path) -> None:
    (tmp_path / "sympy.py").write_text("raise ImportError('this SymPy is broken')\n")
    program = """
from rewards import Request, VerifierPool
try:
    VerifierPool().judge([Request(domain="math", response="4", reference="4", bare=True)])
except RuntimeError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )
    assert "ended 3 times while starting; its own error output says why" in done.stdout
    assert "this SymPy is broken" in done.stderr


def test_a_worker_sees_what_the_caller_has_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, environment and modules, though the fork server is older than all of them."""
    with VerifierPool() as pool:
        assert passes(pool)
    (tmp_path / "made_later.py").write_text(
        "import os\nfrom rewards import Outcome, Verdict\n"
        "def tells(request):\n"
        "    detail = os.getcwd() + ' ' + os.environ['MADE_LATER']\n"
        "    return Verdict(outcome=Outcome.CORRECT, score=1.0, extracted=None, detail=detail,"
        " seconds=0.0)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MADE_LATER", "later")
    told = Request(domain="mine", response="4", reference="4", bare=True)
    with VerifierPool(custom={"mine": "made_later:tells"}) as pool:
        assert pool.judge([told])[0].detail == f"{tmp_path} later"


def test_a_limit_below_what_is_loaded_is_refused() -> None:
    with (
        VerifierPool(memory_limit_bytes=16 * 2**20) as pool,
        pytest.raises(SettingsError, match="memory_limit_bytes: 16777216 is too little"),
    ):
        pool.judge([FOUR])


def test_a_signal_from_the_terminal_leaves_it() -> None:
    with VerifierPool() as pool:
        assert passes(pool)
        server = server_of(pool)
        server.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert passes(pool)
        assert server_of(pool) == server
