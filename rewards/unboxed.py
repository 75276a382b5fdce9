"""Answers that stand in no box: behind a marker, as the last number, as the last expression.

Off-the-shelf models and public data sets write answers in these ways. Each function takes the
text in which the answer must stand and returns it as the model wrote it, or None.

The time is linear in the text: of long texts only the end is searched where a search may have to
look ahead. A pattern of the user's own is the exception; whoever searches with it does so in a
process that can be killed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MARKERS = ("####", "answer is", "answer:", "answer：", "答案是", "答案为", "答案:", "答案：")
"""What stands before an answer in GSM8K's and most other public solutions, and in Chinese ones."""

TAIL_CHARACTERS = 10_000
"""The end of a text in which formulas are searched."""

_EMPHASIS = re.compile(r"(\*\*|__|`)([^*_`\n]{1,500})\1")
_SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z])|。|\*\*(?=\s|$)")  # stars of a whole sentence, too
_BEFORE_ANSWER = " \t:：=*_`>"
_AFTER_ANSWER = " \t.。*_`"
_DIGITS = r"(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)"
_NUMBER = re.compile(
    r"(?:(?<![\w)\]}])[-−+])?"
    rf"(?:\\[dt]?frac\{{[0-9]{{1,30}}\}}\{{[0-9]{{1,30}}\}}|{_DIGITS}(?:[eE][-+]?[0-9]{{1,4}})?)"
    rf"(?:\s?/\s?[0-9]{{1,30}}(?![\w.]))?(?:\s?\\?%)?"
)
_FORMULA = re.compile(
    r"\$\$((?:(?!\$\$).){1,1000})\$\$|\$([^$\n]{1,1000})\$"
    r"|\\\[((?:(?!\\\]).){1,1000})\\\]|\\\(((?:(?!\\\)).){1,1000})\\\)",
    re.DOTALL,
)


def after_marker(text: str, markers: Sequence[str]) -> str | None:
    """Return what stands behind the last of ``markers``: the rest of its sentence.

    Where the marker ends its line it is the next line that is not empty. Capitals make no
    difference, and Markdown's stars around the answer are taken off.

    >>> after_marker("5 + 7 = 12\\n#### 12", ["####"])
    '12'
    >>> after_marker("**The answer is: 12 apples.** I hope that helps!", ["answer is"])
    '12 apples'
    """
    found = re.compile("|".join(map(re.escape, markers)), re.IGNORECASE).finditer(text)
    end = max((match.end() for match in found), default=None)
    if end is None:
        return None
    for line in text[end:].splitlines()[:3]:
        if answer := _tidy(line):
            return answer
    return ""


def _tidy(line: str) -> str:
    """One line without the emphasis, the sentences that follow, and the marks at its ends."""
    plain = _EMPHASIS.sub(r"\2", line).lstrip(_BEFORE_ANSWER)
    sentence = _SENTENCE_END.search(plain)
    return (plain[: sentence.start()] if sentence else plain).rstrip(_AFTER_ANSWER)


def matched(text: str, pattern: str) -> str | None:
    """Return the first group of the last match of a regular expression."""
    found = _last(re.compile(pattern).finditer(text))
    return None if found is None else found.group(1) or ""


def last_number(text: str) -> str | None:
    """Return the last number: with its sign, its fraction, its per cent sign.

    >>> last_number("She has 3 * 4 = 12 apples, worth $1,250.50.")
    '1,250.50'
    >>> last_number("so the chance is \\\\frac{3}{4}")
    '\\\\frac{3}{4}'
    """
    tail = text[-TAIL_CHARACTERS:].replace("{,}", ",").replace("\\!", "")
    found = _last(_NUMBER.finditer(tail))
    return None if found is None else found.group().rstrip(",").strip()


def last_expression(text: str) -> str | None:
    """Return the last formula between dollars, brackets or parentheses of LaTeX.

    Without any it is the last number.

    >>> last_expression("We find $x = 3$, hence \\\\(y = x^2\\\\), which is it.")
    'y = x^2'
    """
    found = _last(_FORMULA.finditer(text[-TAIL_CHARACTERS:]))
    if found is None:
        return last_number(text)
    return next(group for group in found.groups() if group is not None).strip().rstrip(".")


def _last(matches: Iterator[re.Match[str]]) -> re.Match[str] | None:
    found = None
    for found in matches:  # noqa: B007 (the last one is wanted)
        pass
    return found
