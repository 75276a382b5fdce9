"""Runs of letters as text: which may be products of variables, and how they come apart."""

from __future__ import annotations

_WORDS = frozenset(["and", "or", "mod", "to", "in", "for", "yes", "no", "not", "the", "DNE"])
_SHORT_WORDS = frozenset(["if", "is", "of", "at", "day", "one", "two", "six", "ten", "cm"])
_MAX_RUN = 8


def may_be_product(text: str) -> bool:
    """Whether letters such as ``xy`` and ``ABCD`` are a product of variables, not a word."""
    return (
        text.isascii()
        and text.isalpha()
        and (len(text) <= 3 or (len(text) <= 5 and text.isupper()))
        and text not in _WORDS
        and text.lower() not in _SHORT_WORDS
    )


def is_made_of(text: str, variables: frozenset[str]) -> bool:
    """Whether every letter of a short run is one of ``variables``."""
    return bool(variables) and len(text) <= _MAX_RUN and variables.issuperset(text)


def parts_of_product(text: str, variables: frozenset[str]) -> list[str] | None:
    """Return the variables of ``abcd``, or ``ax``, ``-`` and ``ay`` for ``ax-ay``.

    None for anything else: a word, such as ``twenty-one``, or a run that is read as a whole.
    """
    if is_made_of(text, variables):
        return list(text)
    if "-" not in text:
        return None
    parts = text.split("-")
    if not all(may_be_product(part) or is_made_of(part, variables) for part in parts):
        return None
    return [piece for part in parts for piece in ("-", part)][1:]
