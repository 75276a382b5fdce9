"""The one table of dialects, and how an answer's dialect is found.

With a name, the answer must be in that dialect. With ``auto`` every dialect looks at it, and all
that can read it must read the same action: a text that two of them read differently counts as
unreadable. Our own form then also counts with keys that it does not know, if nobody else reads
the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from rewards.errors import AnswerError
from rewards.gui.actions import Action
from rewards.gui.dialects import (
    android_control,
    glm,
    lists,
    os_atlas,
    plain,
    point,
    pyautogui,
    qwen,
    ui_tars,
    webvoyager,
)
from rewards.gui.dialects.dialect import Dialect
from rewards.gui.dialects.source import NotThisDialectError, Source

DialectName = Literal[
    "auto", "plain", "glm_mobile", "glm_computer", "glm_web", "ui_tars", "ui_tars_1_5",
    "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "os_atlas", "aguvis", "pyautogui", "gui_r1",
    "android_control", "webvoyager", "point",
]  # fmt: skip
DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        plain.PLAIN,
        *glm.DIALECTS,
        *ui_tars.DIALECTS,
        *qwen.DIALECTS,
        *os_atlas.DIALECTS,
        *pyautogui.DIALECTS,
        *lists.DIALECTS,
        *android_control.DIALECTS,
        *webvoyager.DIALECTS,
        *point.DIALECTS,
    )
}
"""Every dialect by its name."""


_GRAMMARS: list[Dialect] = []
"""Our own form left out, and of dialects that differ in their space alone the first."""
for _dialect in DIALECTS.values():
    if _dialect.name != "plain" and all(_dialect.read != known.read for known in _GRAMMARS):
        _GRAMMARS.append(_dialect)
_OURS_ALONE = re.compile(r'\{"action": ?"[a-z_]+", ?"(?:point|bbox)": ?\[[-+.eE\d, ]*\]\}\Z')
"""What no other dialect writes: the most usual answer, for which none need be asked."""
_GRAMMARS_OF_ACTIONS = [dialect for dialect in _GRAMMARS if dialect.name != "point"]


def dialect_named(name: str) -> Dialect | None:
    """Return the dialect of a name; None for "auto"."""
    return None if name == "auto" else DIALECTS[name]


def read_action(text: str, dialect: Dialect | None = None, *, click_alone: bool = False) -> Action:
    """Read exactly one action, in a dialect or in whichever it is written in.

    click_alone: whether a point alone is a click. Raises AnswerError for none, several, or one
    that is broken or that two dialects read differently.
    """
    source = Source(text)
    if dialect is not None:
        return dialect.read(source)
    if _OURS_ALONE.match(source.text):
        return plain.read(source)
    return agreed(source, _GRAMMARS if click_alone else _GRAMMARS_OF_ACTIONS)


def agreed(source: Source, foreign: Sequence[Dialect]) -> Action:
    """Return the action that all dialects that can read an answer agree on.

    ``foreign`` are the dialects beside our own. Raises AnswerError.
    """
    found: list[tuple[str, Action]] = []
    broken: dict[str, list[str]] = {}
    for dialect in foreign:
        if not dialect.shown.search(source.text):
            continue
        try:
            found.append((dialect.name, dialect.read(source)))
        except NotThisDialectError:
            continue
        except AnswerError as error:
            broken.setdefault(str(error), []).append(dialect.name)
    if not found:
        return _lenient(source, broken)
    own = plain.read_whole(source)
    if own is not None:
        found.append(("plain", own))
    name, action = found[0]
    for other, another in found[1:]:
        if another != action:
            raise AnswerError(
                f"{name} and {other} read this differently; name the dialect in the settings"
            )
    return action


def _lenient(source: Source, broken: Mapping[str, Sequence[str]]) -> Action:
    """Our own form with keys that it does not know; else what is wrong, and in which dialects."""
    try:
        return plain.read(source)
    except AnswerError as error:
        if not broken:
            raise
        faults = [f"{', '.join(names)}: {fault}" for fault, names in broken.items()]
        raise AnswerError("; ".join(faults)) from error
