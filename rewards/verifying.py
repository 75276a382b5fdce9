"""One check: the fast path here, the computer algebra system in a worker process."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING

from rewards.errors import AlgebraNeeded, UnknownDomainError
from rewards.registry import default_registry
from rewards.verdict import Outcome, Request, Verdict

if TYPE_CHECKING:
    from rewards.pool.pool import VerifierPool

_making_pool = threading.Lock()


def verify(request: Request) -> Verdict:
    """Judge one request with the default settings; never raises on any response text.

    Raises UnknownDomainError for a domain without a verifier.
    """
    try:
        return default_registry().judge(request)
    except UnknownDomainError:
        raise
    except AlgebraNeeded:
        with _making_pool:
            pool = _algebra_pool(os.getpid())
        return pool.judge([request])[0]
    except MemoryError:
        return Verdict(
            outcome=Outcome.ERROR, score=0.0, extracted=None, detail="out of memory", seconds=0.0
        )


@cache
def _algebra_pool(process_id: int) -> VerifierPool:
    """One worker for each process (a forked child must not share its parent's pipes)."""
    from rewards.pool.pool import VerifierPool

    return VerifierPool(1)
