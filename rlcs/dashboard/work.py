"""Work that takes longer than a page may: done once in a thread, its result kept for the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rlcs.errors import RlcsError

KEPT = 4
"""Results; the one asked for longest ago is dropped first. A curriculum of a million problems is
tens of MiB."""


@dataclass(kw_only=True)
class Task:
    """One piece of work: what came of it, or how far it is."""

    version: str
    """Of what it is made of: it is done again when that changes."""
    done: bool = False
    result: Any = None
    error: str = ""
    share: float = 0.0
    """How much of it is done, in [0, 1]; 0 where it does not say."""


class Work:
    """The pieces of work of all pages, each done once a version; one runs at a time."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[object, Task] = OrderedDict()
        self._looking = threading.RLock()
        self._turn = threading.Lock()

    def ask(self, key: object, make: Callable[[Task], Any], *, version: str) -> Task:
        """The task of ``key``, begun now if it was not, or not of this ``version``; ``make``
        returns its result."""
        with self._looking:
            task = self.known(key)
            if task is None or task.version != version:
                task = self._tasks[key] = Task(version=version)
                threading.Thread(target=self._do, args=(task, make), daemon=True).start()
                while len(self._tasks) > KEPT:
                    self._tasks.popitem(last=False)
            return task

    def known(self, key: object) -> Task | None:
        """The task of ``key`` if it was begun."""
        with self._looking:
            task = self._tasks.get(key)
            if task is not None:
                self._tasks.move_to_end(key)
            return task

    @property
    def state(self) -> str:
        """Changes whenever a page that shows a task has something new to show."""
        return " ".join(f"{task.done}{task.share:.2f}" for task in list(self._tasks.values()))

    def _do(self, task: Task, make: Callable[[Task], Any]) -> None:
        with self._turn:
            try:
                task.result = make(task)
            except (RlcsError, OSError) as error:
                task.error = str(error)
            except Exception as error:  # a run folder from elsewhere: said on the page
                task.error = f"it failed ({type(error).__name__})"
            task.done = True
