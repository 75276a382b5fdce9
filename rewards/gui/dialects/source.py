"""The text of an answer, and what lies inside the envelopes that models put around an action."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from rewards.errors import AnswerError
from rewards.extraction import BOX_CLOSE, BOX_OPEN
from rewards.gui.dialects.calls import Call, read_call
from rewards.text.literals import check_size, read_literal, unfenced

T = TypeVar("T")
_TOOL_OPEN, _TOOL_CLOSE = "<tool_call>", "</tool_call>"
_ACTION_LINE = re.compile(r"^[ \t]*(?:[A-Za-z_][\w.]*\(.*\)|\{.*\})[ \t]*$", re.MULTILINE)
_CONCLUSION = re.compile(r"\s*(?:<conclusion>[^<]*</conclusion>\s*)?")


class NotThisDialectError(AnswerError):
    """The text is not written in the dialect at all (rather than written in it and broken)."""


def check_thought(text: str) -> None:
    """Refuse thoughts with a line that is an action. Raises AnswerError: that makes two."""
    if _ACTION_LINE.search(text):
        raise AnswerError("expected one action, found another before it")


class Source:
    """The text of an answer; it is parsed once, however many dialects look at it."""

    def __init__(self, text: str) -> None:
        check_size(text)
        self.text = unfenced(text)
        self._parsed: dict[str, Any] = {}

    def literal(self) -> Any:
        """The whole text as JSON or a Python literal. Raises AnswerError."""
        if self.text[:1] not in ("{", "[", "("):
            raise AnswerError("neither JSON nor a plain literal")
        return self._once("literal", read_literal)

    def call(self) -> Call:
        """The whole text as one call. Raises AnswerError."""
        return self._once("call", read_call)

    def _once(self, kind: str, parse: Callable[[str], T]) -> T:
        if kind not in self._parsed:
            try:
                self._parsed[kind] = parse(self.text)
            except AnswerError as error:
                self._parsed[kind] = error
        found = self._parsed[kind]
        if isinstance(found, AnswerError):
            raise AnswerError(str(found))
        return found  # type: ignore[no-any-return]

    def labelled(
        self, label: re.Pattern[str], before: re.Pattern[str] | None, after: re.Pattern[str] | None
    ) -> Source:
        """Return what follows the label of the action, or this source where there is none.

        label: the label at the start of its line. before: how the text before it begins, or
        None where that may be any text. after: a later label that ends the action. Raises
        AnswerError for several labels: those are several actions.
        """
        labels = list(islice(label.finditer(self.text), 2))
        if not labels:
            if before is not None and before.match(self.text):
                raise AnswerError("a thought without an action")
            return self
        if len(labels) > 1:
            raise AnswerError("expected one action, found several")
        ahead = self.text[: labels[0].start()].strip()
        if ahead and before is not None and not before.match(ahead):
            raise AnswerError("text before the action that is no thought")
        check_thought(ahead)
        action = self.text[labels[0].end() :]
        ending = after.search(action) if after is not None else None
        return Source(action[: ending.start()] if ending else action)

    def unboxed(self) -> Source:
        """Return what is in the one box that is the whole text, or this source without one."""
        if not self.text.startswith(BOX_OPEN):
            return self
        inner, closed, rest = self.text[len(BOX_OPEN) :].partition(BOX_CLOSE)
        if not closed or rest.strip():
            raise AnswerError("expected one action in one box")
        return Source(inner)

    def tool_call(self) -> Source:
        """Return the inside of the one tool call, or this source where there is none.

        Before it may be the model's thoughts, after it a conclusion in tags. Raises AnswerError
        for several, and for one that does not close.
        """
        opened, closed = self.text.count(_TOOL_OPEN), self.text.count(_TOOL_CLOSE)
        if not opened and not closed:
            return self
        if opened != 1 or closed != 1:
            raise AnswerError(f"expected one tool call, found {max(opened, closed)}")
        ahead, _, rest = self.text.partition(_TOOL_OPEN)
        check_thought(ahead)
        inner, _, rest = rest.partition(_TOOL_CLOSE)
        if not inner or not _CONCLUSION.fullmatch(rest):
            raise AnswerError("expected one tool call, and nothing after it")
        return Source(inner)
