r"""Declarations such as ``k \in \mathbb{Z}`` and "n is an integer", taken off an answer."""

from __future__ import annotations

import re

_NAME = r"([a-zA-Z])"
_INTEGERS = r"(?:\\mathbb\s*\{?\s*[ZN]\s*\}?|ℤ|ℕ|\\mathbf\s*\{Z\}|\\Z\b|Z\b)(?:\^?[+*]|\^\{[+*]\})?"
_DECLARATION = re.compile(
    r"(?:[,;(（，\s]|\\quad|\\qquad|\\text\s*\{|\\[ ,;:])*"
    r"(?:\b(?:where|for|with|and|any|all|every|some)\b\s*|\\text\s*\{[^{}]{0,30}\}\s*|其中)*"
    r"(?:\binteger\s+\$?" + _NAME + r"\$?\b(?!\s*(?:is|are)\b)"
    r"|\$?" + _NAME + r"\$?\s*(?:\\in|∈|in)\s*" + _INTEGERS + r"|\$?" + _NAME
    + r"\$?\s*(?:\\text\s*\{)?\s*(?:is\s+)?(?:an?\s+|any\s+)?integers?\b|\$?" + _NAME
    + r"\$?\s*(?:是|为|属于)?(?:任意)?整数)[\s)}）.$]*$"
)  # fmt: skip
_BUILDER = re.compile(
    r"\s*\$?(?:\\left)?\s*\\\{\s*[a-zA-Z]\s*(?:\\mid|\\vert|\||:|｜)(?P<inside>.*?)"
    r"(?:\\right)?\s*\\\}\$?\s*",
    re.DOTALL,
)
_WORTH_TRYING = re.compile(r"integer|整数|Z|ℤ|N\b|ℕ")
_MAX_TEXT = 4096


def split_parameters(text: str) -> tuple[str, frozenset[str]]:
    """Return ``text`` without the declaration at its end, and the declared names."""
    if len(text) > _MAX_TEXT or not _WORTH_TRYING.search(text):
        return text, frozenset()
    builder = _BUILDER.fullmatch(text)
    if builder:  # {x | x = 2k, k ∈ Z} as x = 2k, k ∈ Z
        head, names = split_parameters(builder["inside"])
        return (head, names) if names else (text, names)
    tail_from = max(0, len(text) - 120)
    match = _DECLARATION.search(text, tail_from)
    if match is None or match.start() == 0:
        return text, frozenset()
    name = next(group for group in match.groups() if group)
    head = text[: match.start()].strip()
    if head.count("$") % 2:
        head += "$"
    if head.endswith("\\{") or head.count("\\{") > head.count("\\}"):
        return text, frozenset()
    return head, frozenset((name,))
