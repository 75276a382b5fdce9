"""The form of a response: thinking, then an answer whose result stands in a box.

The cold start teaches it, force answering inserts its middle, and ``rewards.extraction`` reads it
and owns its markers.
"""

from __future__ import annotations

from rewards.extraction import (
    ANSWER_CLOSE,
    ANSWER_OPEN,
    BOX_CLOSE,
    BOX_OPEN,
    THINK_CLOSE,
    THINK_OPEN,
)


def build_response(thinking: str, answer: str) -> str:
    """The response whose thinking is ``thinking`` and whose result is ``answer``.

    >>> build_response("1 + 1 is 2.", "2")
    '<think>1 + 1 is 2.</think><answer><|begin_of_box|>2<|end_of_box|></answer>'
    """
    return (
        f"{THINK_OPEN}{thinking}{THINK_CLOSE}"
        f"{ANSWER_OPEN}{BOX_OPEN}{answer}{BOX_CLOSE}{ANSWER_CLOSE}"
    )
