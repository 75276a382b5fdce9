"""Directions, statuses and keys under one name each, whatever a model or a reference calls them."""

from __future__ import annotations

import unicodedata
from typing import Any

from rewards.errors import AnswerError

_DIRECTIONS = {"up": "up", "down": "down", "left": "left", "right": "right"}
_DIRECTIONS |= {"top": "up", "bottom": "down", "upward": "up", "downward": "down"}
_DIRECTIONS |= {"upwards": "up", "downwards": "down", "leftward": "left", "rightward": "right"}
_KEYS = {"return": "enter", "ctrl": "control", "esc": "escape", "del": "delete", "win": "meta"}
_KEYS |= {"cmd": "meta", "command": "meta", "super": "meta", "windows": "meta", "option": "alt"}
_KEYS |= {"spacebar": "space", "pgup": "pageup", "pgdn": "pagedown", "page_up": "pageup"}
_KEYS |= {"page_down": "pagedown", "arrowup": "up", "arrowdown": "down", "arrowleft": "left"}
_KEYS |= {"arrowright": "right", "ins": "insert", "bksp": "backspace"}
_STATUSES = {"complete": "success", "completed": "success", "successful": "success"}
_STATUSES |= {"done": "success", "finished": "success", "infeasible": "failure"}
_STATUSES |= {"fail": "failure", "failed": "failure", "impossible": "failure"}
MAX_KEYS = 8


def direction_of(value: Any) -> str | None:
    """Return up, down, left or right; None for what names no direction."""
    return _DIRECTIONS.get(value.strip().lower()) if isinstance(value, str) else None


def travel(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return the direction from one point to another, by the longer of the two ways.

    Raises AnswerError where neither way is longer: that is no direction.
    """
    right, down = end[0] - start[0], end[1] - start[1]
    if abs(right) == abs(down):
        raise AnswerError("the two points are in no clear direction from each other")
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"


def folded_name(text: str) -> str:
    """Fold case, spacing and compatibility forms of the name of an app or an option."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def status_of(text: str) -> str:
    """Return success, failure, or the folded text of another status."""
    folded = folded_name(text)
    return _STATUSES.get(folded, folded)


def key_names(value: Any) -> list[str]:
    """Return the keys of "Ctrl+C" or ["ctrl", "c"] as written, in order. Raises AnswerError."""
    if isinstance(value, str):
        text = value.strip()
        parts = (
            [text] if text in ("+", "-") else text.replace("-", "+").replace(" ", "+").split("+")
        )
    elif isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        parts = list(value)
    else:
        raise AnswerError("keys: expected text or a list of names")
    names = [part.strip().lower() for part in parts if part.strip()]
    if not names or len(names) > MAX_KEYS:
        raise AnswerError("keys: expected one to eight names")
    return names


def keys_of(value: Any) -> frozenset[str]:
    """Return modifiers and key as a set: "Ctrl+C" = ["c", "control"]. Raises AnswerError."""
    return frozenset(_KEYS.get(name, name) for name in key_names(value))
