"""Judges an answer against a reference: exact, bounded, and honest about its own failures.

>>> from rewards import Request, verify
>>> verify(Request(domain="math", response="1/2", reference="0.5", bare=True)).outcome
<Outcome.CORRECT: 'correct'>
"""

from typing import TYPE_CHECKING, Any

from rewards.errors import BadReferenceError, SettingsError, UnknownDomainError
from rewards.gold import gold_answer
from rewards.registry import domains, pass_mark, passed
from rewards.verdict import Outcome, Request, Verdict
from rewards.verifying import verify

if TYPE_CHECKING:
    from rewards.pool.pool import VerifierPool

__all__ = [
    "BadReferenceError",
    "Outcome",
    "Request",
    "SettingsError",
    "UnknownDomainError",
    "Verdict",
    "VerifierPool",
    "domains",
    "gold_answer",
    "pass_mark",
    "passed",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import the pool on first use: what it needs costs half of the start-up."""
    if name == "VerifierPool":
        from rewards.pool.pool import VerifierPool

        return VerifierPool
    raise AttributeError(f"module 'rewards' has no attribute {name!r}")
