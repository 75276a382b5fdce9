"""Text from elsewhere on its way to a terminal or a log: control characters are shown, not sent.

What a model, a data set or a file name holds may move the cursor, rename the window, overwrite the
line before (`\\r`), or turn the reading direction of what follows. Such characters appear as JSON
would escape them: ESC as ``\\u001b``. So a line of JSON stays the same JSON.
"""

from __future__ import annotations

import json
import unicodedata

_SENT = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what is not a sign but an order: controls (C0, DEL, C1), formats
(bidirectional overrides, zero widths), halves of surrogate pairs, line and paragraph separators."""


def shown(text: str) -> str:
    """The text with every control character escaped but line ends and tabs."""
    return text if text.isprintable() else "".join(_escaped(sign, "\n\t") for sign in text)


def shown_line(text: str) -> str:
    """The text as one line, with every control character escaped."""
    return text if text.isprintable() else "".join(_escaped(sign, "") for sign in text)


def _escaped(sign: str, kept: str) -> str:
    if sign in kept or unicodedata.category(sign) not in _SENT:
        return sign
    return json.dumps(sign)[1:-1] if sign != "\x7f" else "\\u007f"  # which JSON leaves as it is
