"""Faults: what went wrong in a run and was survived. The user and the run's log hear of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

SHOWN_IDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault. The run went on: work was given to others, or taken up from a checkpoint."""

    what: str
    """What happened, in one line, for example ``rollout actor 1 stopped answering``."""
    detail: str = ""
    """What was expected and found; the cause as the cluster tells it."""
    problem_ids: tuple[str, ...] = ()
    """Problems whose completions were lost and are sampled again."""
    node: str = ""
    pid: int | None = None
    stack: str = ""
    """The Python stack of every thread of a process that stopped answering."""
    remedy: str = field(default="")
    """What is done about it."""

    def as_json(self) -> dict[str, Any]:
        """The fault as a row of ``log/faults.jsonl``."""
        return {**asdict(self), "problem_ids": list(self.problem_ids)}

    def __str__(self) -> str:
        where = f" (pid {self.pid} on {self.node})" if self.pid is not None else ""
        ids = ", ".join(self.problem_ids[:SHOWN_IDS])
        more = len(self.problem_ids) - SHOWN_IDS
        parts = [
            f"{self.what}{where}",
            self.detail,
            f"Problems: {ids}{f' and {more} more' if more > 0 else ''}." if ids else "",
            self.remedy,
            f"Its stack:\n{self.stack}" if self.stack else "",
        ]
        return " ".join(part for part in parts if part)


FaultListener: TypeAlias = Callable[[Fault], None]
"""A function that is called with every fault, in the thread that met it."""
