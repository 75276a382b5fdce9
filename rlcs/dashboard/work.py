"""Work that takes longer than a page may: done once in a thread, its result kept for the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rlcs.errors import RlcsError

KEPT = 8
"""Results; the one asked for longest ago is dropped first."""


@dataclass(kw_only=True)
class Task:
    """One piece of work: what came of it, or how far it is."""

    done: bool = False
    result: Any = None
    error: str = ""
    share: float = 0.0
    """How much of it is done, in [0, 1]; 0 where it does not say."""


class Work:
    """The pieces of work of all pages, each begun once; one runs at a time."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[object, Task] = OrderedDict()
        self._turn = threading.Lock()

    def ask(self, key: object, make: Callable[[Task], Any]) -> Task:
        """The task of ``key``, begun now if it was not; ``make`` returns its result."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = Task()
            threading.Thread(target=self._do, args=(task, make), daemon=True).start()
            while len(self._tasks) > KEPT:
                self._tasks.popitem(last=False)
        return task

    def known(self, key: object) -> Task | None:
        """The task of ``key`` if it was begun."""
        return self._tasks.get(key)

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
