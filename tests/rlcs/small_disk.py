"""Real disks that are small, become read-only or are lost, for tests that may mount them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mount(*arguments: object) -> None:
    """Call ``mount``; skips the test where that is not allowed."""
    called = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    if called.returncode:
        pytest.skip(f"mounting is not allowed here: {called.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """A disk of ``kib`` KiB at ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder)
    try:
        yield folder
    finally:
        while subprocess.run(["umount", "-l", folder], capture_output=True).returncode == 0:
            continue  # also what was mounted on top of it


def make_read_only(folder: Path) -> None:
    """From now on nothing can be written below ``folder``, but by those who opened files before."""
    mount("--bind", folder, folder)
    mount("-o", "remount,bind,ro", folder)


def lose(disk: Path) -> None:
    """Take the disk away from whoever uses it."""
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> None:
    """Leave no room on the disk."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (2**16, 2**12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def once(sign: Callable[[], bool], disturb: Callable[[], None]) -> Iterator[None]:
    """Within the block, call ``disturb`` the moment ``sign`` is there; it must come."""
    ended, done = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if sign():
                disturb()
                done.set()
                return
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert done.is_set(), "what was to be disturbed did not come"
