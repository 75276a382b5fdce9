"""References that are text, or a list of texts any of which is right."""

from __future__ import annotations

from typing import Any

from rewards.errors import BadReferenceError
from rewards.extraction import unwrap_box

_MAX_REFERENCE_CHARACTERS = 200_000


def reference_text(reference: Any) -> str:
    """Return a reference as text, without a box around the whole of it, as in an answer.

    Raises BadReferenceError.
    """
    if isinstance(reference, bool) or not isinstance(reference, str | int | float):
        raise BadReferenceError(f"expected text, found {type(reference).__name__}")
    text = unwrap_box(str(reference))
    if not text:
        raise BadReferenceError("the reference is empty")
    if len(text) > _MAX_REFERENCE_CHARACTERS:
        raise BadReferenceError(f"longer than {_MAX_REFERENCE_CHARACTERS} characters")
    return text


def reference_texts(reference: Any) -> list[str]:
    """Return the texts of a reference, any of which is right. Raises BadReferenceError."""
    if isinstance(reference, list):
        if not reference:
            raise BadReferenceError("the reference is an empty list")
        return [reference_text(item) for item in reference]
    return [reference_text(reference)]
