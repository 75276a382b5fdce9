"""The door to the computer algebra system: open only inside a killable worker process.

SymPy can loop for minutes on a short expression while holding the interpreter lock. Outside
a worker ``load`` therefore raises AlgebraNeeded, and the caller hands the request to one.
"""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable

from rewards.errors import AlgebraNeeded

_callbacks: tuple[Callable[[], None], Callable[[], None]] | None = None
_loaded = False
loaded_at = 0.0


def enable(on_loading: Callable[[], None], on_loaded: Callable[[], None]) -> None:
    """Allow algebra in this process. The calls bracket the slow import, which is not timed."""
    global _callbacks
    _callbacks = (on_loading, on_loaded)


def load() -> None:
    """Import and warm up SymPy and Pint. Raises AlgebraNeeded outside a worker process."""
    global _loaded, loaded_at
    if _callbacks is None:
        raise AlgebraNeeded
    if not _loaded:
        on_loading, on_loaded = _callbacks
        on_loading()
        importlib.import_module("rewards.math.evaluating.symbolic").warm_up()
        importlib.import_module("rewards.math.evaluating.units").registry()
        gc.freeze()  # SymPy's many objects would slow every later collection
        _loaded = True
        loaded_at = time.perf_counter()
        on_loaded()
