"""What every view works with: the runs, and a thread that keeps up with those looked at."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rlcs.dashboard.work import Task, Work
from rlcs.errors import RunFolderError
from rlcs.insight import Run, Runs
from rlcs.insight.curriculum import checkpoint_version
from rlcs.insight.next_draw import preview

LOOKED_AT_SECONDS = 120.0
READ_SECONDS = 0.5
PAUSE_SECONDS = 0.7


@dataclass(frozen=True, kw_only=True)
class Context:
    """The runs and where their data's pictures may lie."""

    runs: Runs
    picture_folders: Sequence[Path] = ()
    """Folders from which a picture of a problem may be shown, besides the run's own."""
    troubles: dict[str, str] = field(default_factory=dict)
    """By run, the kind of error that its last reading met."""
    work: Work = field(default_factory=Work)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def run(self, name: str) -> Run | None:
        """The run ``name`` with its newest steps read; None where it is gone or refused."""
        try:
            run = self.runs.run(name)
            run.reader.read_steps()
        except (RunFolderError, OSError):
            return None
        return run

    def next_draw(self, run: Run) -> Task:
        """The preview of the run's next draw, made beside the page from its last checkpoint."""
        version = checkpoint_version(run)
        return self.work.ask((run.name, "next draw"), lambda _: preview(run), version=version)

    def start_reading(self) -> None:
        """Read, in a thread of its own, what runs that are looked at write."""
        thread = threading.Thread(target=self._keep_reading, daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """End the thread and close the runs."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.runs.close()

    def _keep_reading(self) -> None:
        while not self._stop.is_set():
            more = False
            for run in self.runs.asked_lately(LOOKED_AT_SECONDS):
                try:
                    more |= run.reader.read(READ_SECONDS)
                    self.troubles.pop(run.name, None)
                except Exception as error:  # one damaged run must not end the reading of others
                    self.troubles[run.name] = type(error).__name__
            self._stop.wait(0.02 if more else PAUSE_SECONDS)
