"""Judges an answer against a reference: exact, bounded, and honest about its own failures.

>>> from rewards import Request, verify
>>> verify(Request(domain="math", response="1/2", reference="0.5", bare=True)).outcome
<Outcome.CORRECT: 'correct'>
"""

from rewards.errors import BadReferenceError, SettingsError, UnknownDomainError
from rewards.pool import VerifierPool
from rewards.registry import domains, pass_mark, passed
from rewards.single import verify
from rewards.verdict import Outcome, Request, Verdict

__all__ = [
    "BadReferenceError",
    "Outcome",
    "Request",
    "SettingsError",
    "UnknownDomainError",
    "Verdict",
    "VerifierPool",
    "domains",
    "pass_mark",
    "passed",
    "verify",
]
