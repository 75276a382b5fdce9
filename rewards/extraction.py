r"""From a response to the answer that is compared.

The format is GLM-4.1V's (arXiv 2507.01006): ``<think>…</think><answer>… <|begin_of_box|>
RESULT<|end_of_box|> …</answer>``, with ``\boxed{…}`` and ``\fbox{…}`` as alternatives. One
pass of string searches per marker, so the time is linear in the text.

Models that were never taught this form answer in others, which a setting names: the answer part
as a whole, what stands behind a marker or matches a pattern, the last number, the last
expression. They see less than a box: the last number is one that the text merely mentions more
often than a box is. Which rule it is must be said, never guessed from the response.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from rewards.errors import SettingsError
from rewards.settings import Setting, Settings
from rewards.unboxed import MARKERS, after_marker, last_expression, last_number, matched

BoxMarker = Literal["glm", "latex"]
Rule = Literal["box", "answer", "marker", "pattern", "last_number", "last_expression"]

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER_OPEN, ANSWER_CLOSE = "<answer>", "</answer>"
BOX_OPEN, BOX_CLOSE = "<|begin_of_box|>", "<|end_of_box|>"
ABSENT = {
    "box": "no box in the answer",
    "answer": "the answer is empty",
    "marker": "no marker in the answer",
    "pattern": "no match of the pattern in the answer",
    "last_number": "no number in the answer",
    "last_expression": "no expression in the answer",
}
"""Why nothing was found, by the rule that was used."""
_LATEX_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]{0,8}\{")
_MAY_BOX = re.compile(r"\\boxed|\\fbox|<\|begin_of_box")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class ExtractionSettings(Settings):
    """Where in a response the answer is taken from."""

    rule: Annotated[
        Rule,
        Setting(
            description="What of the answer part is the answer: its 'box'; all of it ('answer'); "
            "what follows the last of the markers ('marker') or is matched by the pattern "
            "('pattern'); its 'last_number'; its 'last_expression', a formula in LaTeX's "
            "delimiters or else a number. The answer part is what <answer> holds, or all that "
            "follows the thinking."
        ),
    ] = "box"
    markers: Annotated[
        tuple[str, ...],
        Setting(description="Texts behind which the answer stands, in capitals or not."),
    ] = MARKERS
    pattern: Annotated[
        str | None,
        Setting(
            description="Regular expression; the first group of its last match is the answer. One "
            "that backtracks without end runs into the deadline of the check."
        ),
    ] = None
    boxes: Annotated[
        tuple[BoxMarker, ...],
        Setting(
            description="Which boxes count: 'glm' is <|begin_of_box|>, 'latex' is \\boxed and "
            "\\fbox."
        ),
    ] = ("glm", "latex")
    different_boxes: Annotated[
        Literal["wrong", "list"],
        Setting(
            description="What several boxes with different contents are: a wrong answer, or one "
            "answer that lists the contents in their order."
        ),
    ] = "wrong"
    repeated_box: Annotated[
        Literal["fine", "wrong"],
        Setting(description="What several boxes with the same content are."),
    ] = "fine"

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.rule == "pattern") != (self.pattern is not None):
            raise SettingsError(
                f"pattern: expected {'one' if self.rule == 'pattern' else 'none'} where rule is "
                f"{self.rule!r}, found {self.pattern!r}. Set both rule: pattern and pattern, or "
                "neither."
            )
        if self.pattern is not None:
            _check_pattern(self.pattern)
        if not all(self.markers) or not self.markers:
            raise SettingsError("markers: expected at least one text and no empty one.")
        if not self.boxes:
            raise SettingsError(
                "boxes: expected at least one of 'glm' and 'latex', found none. The whole answer "
                "part is the answer by rule: answer."
            )


def _check_pattern(pattern: str) -> None:
    try:
        num_groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingsError(
            f"pattern: expected a regular expression, found {pattern!r}: {error}."
        ) from None
    if num_groups < 1:
        raise SettingsError(
            f"pattern: expected a regular expression with a group, found {pattern!r}. Put "
            "parentheses around what is the answer."
        )


@dataclass(frozen=True)
class Extraction:
    """text: the answer, or None. ambiguous: there were several, which is wrong, not absent."""

    text: str | None
    detail: str = ""
    ambiguous: bool = False


def extract(response: str, settings: ExtractionSettings) -> Extraction:
    """Return the answer within the answer part of ``response``, by the rule of ``settings``."""
    after_thinking = _after_thinking(response)
    if after_thinking is None:
        return Extraction(None, "the thinking never closes")
    part = _answer_part(after_thinking)
    if part.text is None:
        return part
    if settings.rule == "box":
        contents = find_boxes(part.text, settings.boxes)
        return _one_answer(contents, settings) if contents else Extraction(None, ABSENT["box"])
    found = _unboxed(part.text, settings)
    return Extraction(None, ABSENT[settings.rule]) if found is None else _non_empty(found)


def _unboxed(text: str, settings: ExtractionSettings) -> str | None:
    """The answer by a rule that looks for no box; one that stands in a box is taken out of it."""
    match settings.rule:
        case "marker":
            found = after_marker(text, settings.markers)
        case "pattern":
            found = matched(text, settings.pattern or "")
        case "last_number":
            return last_number(text)
        case "last_expression":
            found = last_expression(text)
        case _:
            found = text
    if found is None or not _MAY_BOX.search(found):
        return found
    contents = find_boxes(found, settings.boxes)
    return unwrap_box(contents[0]) if len(contents) == 1 else found


def extract_bare(response: str, settings: ExtractionSettings) -> Extraction:
    """Return an answer given without tags; a box around the whole of it is taken off.

    Several boxes are what they are in a whole response: one answer when they are the same.
    """
    contents = find_boxes(response, ("glm", "latex")) if _MAY_BOX.search(response) else []
    if len(contents) > 1:
        return _one_answer(contents, settings)
    return _non_empty(unwrap_box(response))


def _one_answer(contents: list[str], settings: ExtractionSettings) -> Extraction:
    """The content of boxes that all say the same, or the list of what they say."""
    distinct: dict[str, str] = {}
    for content in contents:
        distinct.setdefault(_SPACE.sub("", content), unwrap_box(content))
    if len(distinct) > 1 and settings.different_boxes == "list":
        return _non_empty(", ".join(distinct.values()))
    if len(distinct) > 1:
        return Extraction(None, f"{len(distinct)} different boxes", ambiguous=True)
    if len(contents) > 1 and settings.repeated_box == "wrong":
        return Extraction(None, f"the same box {len(contents)} times", ambiguous=True)
    return _non_empty(unwrap_box(contents[0]))


def find_boxes(text: str, markers: tuple[BoxMarker, ...]) -> list[str]:
    """Return the contents of the outermost closed boxes, in order of appearance."""
    spans: list[_Span] = []
    if "glm" in markers:
        spans += _glm_spans(text)
    if "latex" in markers:
        spans += _latex_spans(text)
    contents: list[str] = []
    reached = -1
    for span in sorted(spans):
        if span.start >= reached:
            contents.append(text[span.inner_start : span.inner_end])
            reached = span.end
    return contents


def unwrap_box(text: str) -> str:
    """Take off boxes around the whole text, such as LaTeX's inside GLM's."""
    stripped = text.strip()
    for _ in range(3):
        inner = _inside_whole_box(stripped)
        if inner is None:
            break
        stripped = inner.strip()
    return stripped


def _inside_whole_box(text: str) -> str | None:
    """The content of a box that is the whole of ``text``."""
    if text.startswith(BOX_OPEN) and text.endswith(BOX_CLOSE):
        inner = text[len(BOX_OPEN) : -len(BOX_CLOSE)]
        return None if BOX_CLOSE in inner else inner
    match = _LATEX_BOX.match(text)
    if match is None or not text.endswith("}"):
        return None
    depth = 0
    for brace in _BRACE.finditer(text, match.end() - 1):
        depth += (brace.group() == "{") - (brace.group() == "}")
        if depth == 0:
            whole = brace.end() == len(text)
            return text[match.end() : brace.start()] if whole else None
    return None


class _Span(NamedTuple):
    """Offsets of a box and of what is inside it."""

    start: int
    end: int
    inner_start: int
    inner_end: int


def _non_empty(text: str) -> Extraction:
    stripped = text.strip()
    return Extraction(stripped) if stripped else Extraction(None, "the answer is empty")


def _after_thinking(response: str) -> str | None:
    """The text after the last closed thinking; None when thinking is left open."""
    closing = response.rfind(THINK_CLOSE)
    if closing >= 0:
        response = response[closing + len(THINK_CLOSE) :]
    return None if THINK_OPEN in response else response


def _answer_part(text: str) -> Extraction:
    opening = text.find(ANSWER_OPEN)
    if opening < 0:
        return Extraction(text)
    inside = text[opening + len(ANSWER_OPEN) :]
    if ANSWER_OPEN in inside:
        return Extraction(None, "several answer parts", ambiguous=True)
    closing = inside.find(ANSWER_CLOSE)
    return Extraction(inside if closing < 0 else inside[:closing])


def _glm_spans(text: str) -> list[_Span]:
    spans = []
    position = 0
    while (start := text.find(BOX_OPEN, position)) >= 0:
        inner = start + len(BOX_OPEN)
        end = text.find(BOX_CLOSE, inner)
        if end < 0:
            break
        position = end + len(BOX_CLOSE)
        spans.append(_Span(start, position, inner, end))
    return spans


def _latex_spans(text: str) -> list[_Span]:
    """Closed LaTeX boxes, nested ones too, by one walk over the braces."""
    openings = {match.end() - 1: match.start() for match in _LATEX_BOX.finditer(text)}
    if not openings:
        return []
    spans = []
    stack: list[int] = []
    for match in _BRACE.finditer(text, next(iter(openings))):
        position = match.start()
        if text[position] == "{":
            stack.append(position)
        elif text[position] == "}" and stack:
            brace = stack.pop()
            if brace in openings:
                spans.append(_Span(openings[brace], position + 1, brace + 1, position))
    return spans
