"""How far the scan is: a bar, a share and the time left, told as what this process is busy with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rlcs.activity import doing

BAR_CHARACTERS = 20
FIRST_SECONDS = 2.0
"""Before that no time left is told: workers are starting."""


@contextmanager
def telling(num_rows: int) -> Iterator[Callable[[int], None]]:
    """Give what counts rows as examined, of ``num_rows`` in all."""
    started, done = time.monotonic(), 0
    with doing(f"examining {num_rows:,} rows of the data, once") as tell:

        def count(number: int) -> None:
            nonlocal done
            done += number
            took = time.monotonic() - started
            left = took / done * (num_rows - done)
            tell(
                f"examining {num_rows:,} rows of the data, once "
                f"{bar(done / num_rows)} {100 * done / num_rows:.0f}%"
                + (f", {left:.0f} s left" if took > FIRST_SECONDS else "")
            )

        yield count


def bar(share: float) -> str:
    """A share from 0 to 1 as a bar of text."""
    full = round(BAR_CHARACTERS * share)
    return "█" * full + "░" * (BAR_CHARACTERS - full)
