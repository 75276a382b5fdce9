"""The bounds on what is read, so that no text costs more than a few milliseconds."""

from __future__ import annotations

from rewards.errors import AnswerError

MAX_CHARACTERS = 4096
MAX_TOKENS = 1500
MAX_DIGITS = 1000  # of one number
MAX_EXPONENT = 5000  # of ten, in 1e5000
MAX_DEPTH = 64  # sums within sums
MAX_NODES = 1000
# Of a tree: whatever walks it, by two calls a node, stays within Python's recursion limit.
MAX_HEIGHT = 200


class BeyondLimits(AnswerError):
    """The text may well be an answer, but it is larger than what is read here."""
