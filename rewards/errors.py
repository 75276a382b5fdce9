"""The exception tree of ``rewards``.

::

    ValueError
    ├── UnknownDomainError      no verifier of that name
    ├── BadReferenceError       the reference does not fit its domain
    ├── SettingsError           an unknown or unfit setting
    └── AnswerError             the answer does not parse (becomes UNPARSEABLE)
    RuntimeError
    └── AlgebraNeeded           the fast path cannot decide; a worker process may
"""

from __future__ import annotations

from collections.abc import Iterable


class UnknownDomainError(ValueError):
    """There is no verifier for the domain; the message lists the known ones."""

    def __init__(self, domain: str, known: Iterable[str]) -> None:
        self.domain = domain
        self.known = sorted(known)
        super().__init__(domain, self.known)

    def __str__(self) -> str:
        return f"unknown domain {self.domain!r}; known: {', '.join(self.known)}"


class BadReferenceError(ValueError):
    """The reference does not fit its domain: repair the data set row."""


class SettingsError(ValueError):
    """A setting is unknown or does not fit; the message says what would."""


class AnswerError(ValueError):
    """The model's answer does not parse."""


class AlgebraNeeded(RuntimeError):
    """The fast path cannot decide; the computer algebra system may, in a worker process."""
