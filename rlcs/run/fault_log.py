"""Faults as they happen: a line for the user, a row of ``log/faults.jsonl``."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from rlcs.cluster.faults import Fault
from rlcs.errors import StorageError
from rlcs.files import writing
from rlcs.run.progress import Progress


class FaultLog:
    """Takes the faults of a run: shows each and writes it down. It may be called from any thread.

    Rows are only ever added: unlike the other logs this one has the rows of every session.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.path = folder / "log" / "faults.jsonl"
        self.progress = progress
        self._lock = threading.Lock()

    def __call__(self, fault: Fault) -> None:
        with self._lock:
            self.progress.say(f"fault: {fault}")
            try:
                self._write(json.dumps({"time": time.time(), **fault.as_json()}) + "\n")
            except StorageError as error:  # the run goes on: it is mended by what called this
                self.progress.say(str(error))

    def _write(self, line: str) -> None:
        with writing("this fault", self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
