"""The switch of the computer algebra system: on only inside a killable worker process.

SymPy can loop for minutes on a short expression while holding the interpreter lock. Outside
a worker ``require`` therefore raises AlgebraNeeded, and the caller hands the request to one.
A worker loads SymPy and Pint before it allows them, so that no request waits for an import.
"""

from __future__ import annotations

from rewards.errors import AlgebraNeeded

_allowed = False


def allow() -> None:
    """Allow algebra in this process: only a worker, which can be killed, may call this."""
    global _allowed
    _allowed = True


def require() -> None:
    """Raise AlgebraNeeded where algebra is not allowed."""
    if not _allowed:
        raise AlgebraNeeded
