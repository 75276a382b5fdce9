"""What a question asks for by name: the unit of the answer, and the order of its letters."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.math.reading.unit_names import UNITS

Unit = tuple[tuple[str, Fraction], ...]

# Units that are other words too, or that answers are never converted to.
_NEVER = frozenset(
    [
        "unit",
        "bit",
        "byte",
        "degree",
        "radian",
        "degree_Celsius",
        "degree_Fahrenheit",
        "pound",
        "bar",
    ]
)
_NOT_WORDS = frozenset(
    ["in", "second", "sec", "min", "mi", "cal", "cup", "pound", "foot", "时", "码"]
)
_CHINESE = "|".join(
    sorted((w for w in UNITS if w >= "一" and w not in _NOT_WORDS), key=len, reverse=True)
)
_ENGLISH = "|".join(
    sorted(
        (w for w in UNITS if w.isascii() and w.isalpha() and len(w) > 1 and w not in _NOT_WORDS),
        key=len,
        reverse=True,
    )
)
_POWER = r"(?:(square|cubic|sq\.?)\s+)?"
_ASKED_IN_CHINESE = re.compile(
    rf"(?:(?:多少|几(?:个)?)\s*(?:个)?|单位\s*[:：是为]?\s*|(?<![_＿])[_＿]{{2,40}}\s*|[(（]\s*[)）]\s*)({_CHINESE})"
    r"(?![一-鿿]{0,3}(?:每|/))"
)
_ASKED_IN_ENGLISH = re.compile(
    rf"(?:how\s+many\s+(?:(?:more|fewer|total|additional|extra|full|whole)\s+)?|\bin\s+(?:\$?\\(?:text|mathrm)\{{)?)"
    rf"{_POWER}({_ENGLISH})\b(?:\s*\^\s*\{{?([23])\}}?)?(?!\s*(?:per\b|/|a\b|an\b|each\b|every\b|\^|of\b))",
    re.IGNORECASE,
)
_RATE = re.compile(r"每[^，。,；;？?]{0,12}(?:多少|几)|速度|平均每|\bper\b")
_POWERS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3}
_LIST_OF_LETTERS = re.compile(
    r"(?<![A-Za-z\\])\$?[a-zA-Z]\$?(?:\s*(?:,|，|、|;|\band\b|和|与)+\s*(?:and\s+)?\$?[a-zA-Z]\$?(?![A-Za-z]))+"
)
_LETTER = re.compile(r"(?<![A-Za-z])[a-zA-Z](?![A-Za-z])")
_MAX_LISTS = 20
_WORDS_AND_MARKS = re.compile(r"\$?[A-Za-z]+\$?|[^\sA-Za-z]")
_SEPARATORS = frozenset(",;，、和与及")
_ARTICLES_AND_I = frozenset(["a", "A", "I"])
_MAX_WORDS_OF_A_NAME = 4


def unit_asked_for(question: str) -> Unit | None:
    """Return the one unit that ``question`` asks for; None for none, for several, for a rate."""
    if _RATE.search(question):
        return None
    found: set[Unit] = set()
    for match in _ASKED_IN_CHINESE.finditer(question):
        found.add(_unit(match[1], 1))
    for match in _ASKED_IN_ENGLISH.finditer(question):
        power = int(match[3]) if match[3] else _POWERS.get((match[1] or "").lower(), 1)
        word = match[2] if match[2] in UNITS else match[2].lower()
        if word in UNITS:
            found.add(_unit(word, power))
    if len(found) != 1:
        return None
    (unit,) = found
    return None if any(name in _NEVER for name, _ in unit) else unit


def _unit(word: str, power: int) -> Unit:
    name, _, built_in = UNITS[word].partition("**")
    return ((name, Fraction(power * int(built_in or 1))),)


def orders_of_letters(question: str) -> tuple[tuple[str, ...], ...]:
    """Return the lists of letters in ``question``, such as (w, d, a, b) for "w, d, a and b"."""
    orders = []
    for match in _LIST_OF_LETTERS.finditer(question):
        letters = tuple(_LETTER.findall(re.sub(r"\band\b", ",", match.group())))
        if len(set(letters)) == len(letters):
            orders.append(letters)
        if len(orders) == _MAX_LISTS:
            break
    return (*orders, *_named_letters(question))


def _named_letters(question: str) -> list[tuple[str, ...]]:
    """Letters that are listed with what they stand for: (m, b) for "the slope m and the
    intercept b"."""
    orders: list[tuple[str, ...]] = []
    letters: list[str] = []
    num_words, separated = 0, False
    for token in _WORDS_AND_MARKS.findall(question):
        if token.strip("$") in _ARTICLES_AND_I or (len(token.strip("$")) > 1 and token != "and"):
            num_words += 1
        elif token == "and" or token in _SEPARATORS:
            separated = True
        elif "一" <= token <= "鿿":
            num_words = max(num_words, 1)  # Chinese words have no spaces between them
        elif not token[-1].isalpha() and token[-1] != "$":
            letters, num_words, separated = [], 0, False  # the end of a sentence, or a formula
        else:
            letter, named = token.strip("$"), 1 <= num_words <= _MAX_WORDS_OF_A_NAME
            if named and separated and letters and letter not in letters:
                letters.append(letter)
                if len(letters) > 2:  # in place of the list that was one shorter
                    orders.pop()
                orders.append(tuple(letters))
            else:
                letters = [letter] if named else []
            num_words, separated = 0, False
        if len(orders) >= _MAX_LISTS:
            break
    return orders
