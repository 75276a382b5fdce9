"""The form of a response: thinking, then an answer whose result stands in a box.

The cold start teaches it, force answering inserts its middle, and ``rewards`` reads it.
"""

from __future__ import annotations

import json
from typing import Any

THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"
ANSWER_OPEN = "<answer>"
ANSWER_CLOSE = "</answer>"
BOX_OPEN = "<|begin_of_box|>"
BOX_CLOSE = "<|end_of_box|>"


def build_response(thinking: str, answer: Any) -> str:
    """The response that thinks ``thinking`` and answers ``answer`` (a reference).

    >>> build_response("1 + 1 is 2.", 2)
    '<think>1 + 1 is 2.</think><answer><|begin_of_box|>2<|end_of_box|></answer>'
    """
    result = answer_text(answer)
    return (
        f"{THINK_OPEN}{thinking}{THINK_CLOSE}"
        f"{ANSWER_OPEN}{BOX_OPEN}{result}{BOX_CLOSE}{ANSWER_CLOSE}"
    )


def answer_text(reference: Any) -> str:
    """A reference as a model would write it: texts as they are, the rest as JSON."""
    return reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)
