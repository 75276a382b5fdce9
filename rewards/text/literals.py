"""One JSON value or Python literal out of an answer, read with limits and never evaluated."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from rewards.errors import AnswerError

MAX_CHARACTERS = 200_000
MAX_DEPTH = 12
_FENCE = "```"
_LANGUAGE = re.compile(r"[ \t]*(?:(?:json|python|py|tool_call|text)(?![\w.]))?")
_PYTHON_MAX_CHARACTERS = 20_000

# Python would tell the terminal what it thinks of the literals that a model wrote.
warnings.filterwarnings("ignore", category=SyntaxWarning, module="<unknown>")


def unfenced(text: str) -> str:
    """Return the inside of a fenced block that is the whole of ``text``; other text as it is."""
    text = text.strip()
    if not text.startswith(_FENCE) or not text.endswith(_FENCE) or text.count(_FENCE) != 2:
        return text
    inside = text[len(_FENCE) : -len(_FENCE)]
    language = _LANGUAGE.match(inside)
    return inside[language.end() if language else 0 :].strip()


def read_literal(text: str) -> Any:
    """Read ``text`` as JSON or a Python literal. Raises AnswerError when it is neither."""
    text = unfenced(text)
    check_size(text)
    try:
        return _DECODER.decode(text)
    except AnswerError:
        raise
    except (ValueError, RecursionError):
        pass
    if len(text) > _PYTHON_MAX_CHARACTERS or "**" in text:
        raise AnswerError("not JSON")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise AnswerError("neither JSON nor a plain literal") from error
    _check_plain(value, MAX_DEPTH)
    return value


def check_size(text: str) -> None:
    """Refuse what is too long or too deep before any parser sees it. Raises AnswerError."""
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"longer than {MAX_CHARACTERS} characters")
    if text.count("[") + text.count("{") + text.count("(") <= MAX_DEPTH:
        return  # too few brackets to nest deeper
    depth = deepest = 0
    for match in re.finditer(r"[\[\](){}]", text):
        depth += 1 if match.group() in "[({" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise AnswerError(f"nested deeper than {MAX_DEPTH}")


def _refuse(name: str) -> Any:
    raise AnswerError(f"{name} is no finite number")


def _integer(text: str) -> int:
    if len(text) > 30:
        raise AnswerError("a number of more than 30 digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise AnswerError("a number that is not finite")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says one thing twice: which of them counts would be a guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerError("a key that appears twice")
    return found


def _check_plain(value: Any, depth: int) -> None:
    if depth < 0:
        raise AnswerError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise AnswerError("a key that is no text")
            _check_plain(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_plain(item, depth - 1)
    elif isinstance(value, float) and value - value != 0:
        raise AnswerError("a number that is not finite")
    elif not (value is None or isinstance(value, str | int | float | bool)):
        raise AnswerError(f"a {type(value).__name__}")


_DECODER = json.JSONDecoder(
    parse_constant=_refuse, object_pairs_hook=_unique, parse_int=_integer, parse_float=_finite
)
