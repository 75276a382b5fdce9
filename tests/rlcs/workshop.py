"""A workshop for real runs: a tiny model, problems, a configuration, the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pyarrow.parquet as pq
from shared_cluster import SharedCluster
from small_disk import once

from curricula import Fate
from rlcs.cli.main import main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

PERCENTAGES = ("5", "25", "50", "50", "75", "95")
NUM_STEPS = 9
SAVE_EVERY = 3
GROUP_SIZE = 4
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
END_SECONDS = 45
"""Processes of a killed run must be gone by then."""


def environment() -> dict[str, str]:
    """What the command line is started with: offline, and a cluster of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    path = f"{HERE}{os.pathsep}{ROOT}"
    return {**kept, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


@dataclass
class Command:
    """A running ``rlcs`` in a process group of its own, as a terminal starts it."""

    process: subprocess.Popen[bytes]
    output: Path
    everything: list[psutil.Process] = field(default_factory=list)
    """The process and all it has started, as far as :meth:`look` saw them."""
    agents: list[psutil.Process] = field(default_factory=list)
    """Those of them that report a killed cluster to nobody for a minute before they end."""

    def look(self) -> None:
        """Remember the processes that exist now."""
        try:
            this = psutil.Process(self.process.pid)
            self.everything = list({*self.everything, this, *this.children(recursive=True)})
            self.agents = [each for each in self.everything if each.name() in AGENTS]
        except psutil.NoSuchProcess:
            return

    def wait_for(self, sign: Callable[[], bool], *, seconds: float = 240) -> None:
        """Return the moment ``sign`` is there; fails when the command ends without it."""
        until = time.monotonic() + seconds
        while not sign():
            ended = self.process.poll() is not None
            assert not ended, f"ended with {self.process.returncode}:\n{self.text()}"
            assert time.monotonic() < until, f"waited {seconds} s:\n{self.text()}"
            time.sleep(0.002)

    def send(self, number: int, *, whole_group: bool = False) -> None:
        """Send a signal, to the whole group as Ctrl-C does or to the driver alone."""
        self.look()
        (os.killpg if whole_group else os.kill)(self.process.pid, number)

    def finish(self, *, seconds: float = 240) -> int:
        """The exit status; everything that was started must end by itself soon after."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.look()
            self.process.kill()
            raise
        finally:
            left = wait_for_end(set(self.everything) - set(self.agents), END_SECONDS)
            for process in left:
                process.kill()
        assert not left, f"these outlived their run: {left}"
        return status

    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text()


@dataclass(frozen=True)
class Workshop:
    """A folder with ``config.yaml`` and what it needs."""

    folder: Path
    shared_cluster: SharedCluster
    """Which :meth:`call` and :meth:`refuse` join."""

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    def run_folder(self, name: str) -> Path:
        return self.folder / "runs" / name

    def start(self, *arguments: object) -> Command:
        """Start ``rlcs ARGUMENTS`` here in a process of its own, with a cluster of its own."""
        output = self.folder / f"output_{time.monotonic_ns()}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "rlcs.cli", *map(str, arguments)],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Command(process, output)

    def call(self, *arguments: object) -> str:
        """Run ``rlcs ARGUMENTS`` to its good end; returns what it printed.

        It runs in this process and joins the cluster of the tests: to import everything and to
        start Ray anew takes longer than most of these runs. Disturb a run by :meth:`start`.
        """
        status, said = self._run(arguments)
        assert status == 0, said
        return said

    def output(self, *arguments: object) -> str:
        """As :meth:`call`, but what was printed on standard output alone."""
        said = io.StringIO()
        status, rest = self._run(arguments, said)
        assert status == 0, rest
        return said.getvalue()

    def refuse(self, *arguments: object) -> str:
        """Run ``rlcs ARGUMENTS``, which ends with a mistake of the user's; returns the message."""
        status, said = self._run(arguments)
        assert status == 2, said
        return said

    def interrupt(self, sign: Callable[[], bool], *arguments: object) -> str:
        """Run ``rlcs ARGUMENTS`` as :meth:`call` does, until Ctrl-C comes the moment ``sign`` is
        there; returns what it printed."""
        with once(sign, lambda: os.kill(os.getpid(), signal.SIGINT)):
            status, said = self._run(arguments)
        assert status == 130, said
        assert "Traceback" not in said
        return said

    def _run(self, arguments: Sequence[object], out: io.StringIO | None = None) -> tuple[int, str]:
        """The exit status, and what was printed on both streams, or not on standard output: that
        goes to ``out`` where it is given."""
        said = io.StringIO()
        with (
            mock.patch.dict(os.environ, {"RAY_ADDRESS": self.shared_cluster.address}),
            mock.patch.object(sys, "path", list(sys.path)),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(said if out is None else out),
            contextlib.redirect_stderr(said),
        ):
            status = main([*map(str, arguments)])
        return status, said.getvalue()


def lives(process: psutil.Process) -> bool:
    """Whether it runs; one that ended and waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_end(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """What of ``processes`` still lives after ``seconds``."""
    until = time.monotonic() + seconds
    while (left := [each for each in processes if lives(each)]) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def write_jsonl(path: Path, rows: Sequence[Any]) -> Path:
    """Rows (objects, or lines as they are) as JSONL."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def num_lines(path: Path) -> int:
    """Whole lines in a log that may not be there yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def train_rows() -> list[dict[str, Any]]:
    """Problems of all difficulties; the verifier fails on three, on two of them always."""
    rows = [
        {"id": f"p{number}", "question": f"Calculate {number} + {number}.", "answer": answer}
        for number, answer in enumerate(PERCENTAGES * 6)
    ]
    faults = ("raises", "raises", "raises at times")
    return rows + [
        {"id": f"fault{number}", "question": f"Calculate {number} * 0.", "answer": answer}
        for number, answer in enumerate(faults)
    ]


def base_config(folder: Path) -> dict[str, Any]:
    """A run that takes a second a step, on absolute paths."""
    source = {
        "domain": "checksum",
        "columns": {"question": "question", "reference": "answer", "id": "id"},
    }
    return {
        "run": {
            "name": "whole",
            "folder": str(folder / "runs"),
            "num_steps": NUM_STEPS,
            "groups_per_step": 6,
            "save_every": SAVE_EVERY,
        },
        "model": {"path": str(folder / "model")},
        "data": {
            "train": [{**source, "path": str(folder / "train.jsonl"), "category": "sums"}],
            "heldout": [{**source, "path": str(folder / "heldout.jsonl"), "category": "held"}],
        },
        "rollout": {
            "group_size": GROUP_SIZE,
            "max_prompt_tokens": 32,
            "max_thinking_tokens": 10,
            "max_answer_tokens": 4,
        },
        "scoring": {
            "deadline_seconds": 20.0,
            "domains": {"checksum": {"verifier": "checksum_verifier:judge"}},
        },
        "curriculum": {"carry_over": True, "initial_expansion": 2.0},
        "learner": {"learning_rate": 1e-3, "micro_batch_tokens": 256},
        "evaluation": {"every_steps": 3, "samples_per_problem": 2},
        "tracking": {"tensorboard": False},
        "hardware": {"device": "cpu", "threads_per_process": 1},
    }


def heldout_rows() -> list[dict[str, Any]]:
    """Five problems that half of all texts solve."""
    return [
        {"id": f"h{number}", "question": f"Calculate {number} - {number}.", "answer": "50"}
        for number in range(5)
    ]


def assert_counts_add_up(run: Path, num_steps: int) -> None:
    """Every group that was drawn has all its completions, once, and a fate at every step."""
    steps = read_jsonl(run / "log" / "steps.jsonl")
    groups = read_jsonl(run / "log" / "groups.jsonl")
    assert [row["step"] for row in steps] == list(range(1, num_steps + 1))
    drawn: list[tuple[int, str]] = []
    carried: set[str] = set()
    for step in range(1, num_steps + 1):
        here = [row for row in groups if row["step"] == step]
        ids = [row["problem_id"] for row in here]
        assert len(set(ids)) == len(ids)
        assert carried <= set(ids)
        drawn += [(step, problem) for problem in ids if problem not in carried]
        carried = {row["problem_id"] for row in here if row["fate"] == Fate.CARRIED}
    rows = [row for path in (run / "rollouts").iterdir() for row in pq.read_table(path).to_pylist()]
    completions = Counter((row["step"], row["problem_id"]) for row in rows)
    assert completions == dict.fromkeys(drawn, GROUP_SIZE)
    assert steps[-1]["curriculum"]["num_drawn"] == len(drawn)
