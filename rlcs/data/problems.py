"""Turning a raw row into a Problem: what a row must hold, and which id its problem gets."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from rewards import gold_answer
from rlcs.config import SourceSection, VideoSection
from rlcs.data.images import PLACEHOLDER, BadImageError, read_images
from rlcs.data.layouts import LAST_TURN
from rlcs.data.response_format import build_response
from rlcs.data.stores import BadRowError, Cell, Row
from rlcs.data.videos import PLACEHOLDER as VIDEO_PLACEHOLDER
from rlcs.data.videos import read_videos
from rlcs.types import Image, Message, Problem, Video

NUM_ID_CHARACTERS = 16
PLACE = re.compile(f"{PLACEHOLDER}|{VIDEO_PLACEHOLDER}")


def build_problem(
    row: Row, source: SourceSection, domains: Set[str], video: VideoSection
) -> Problem:
    """Make the problem of one row. ``domains`` are the names that have a verifier, and ``video``
    says which frames of a video are shown.

    Without an id column the id is made from the content.

    Raises:
        BadRowError: the row cannot become a problem.
    """
    columns = source.columns
    messages = _messages(row, source)
    images = _pictures(row, source, messages, video)
    reference = _reference(row, source)
    domain = source.domain if columns.domain is None else _text(row, columns.domain, "a domain")
    if domain not in domains:
        raise BadRowError(
            f"expected a domain that has a verifier ({', '.join(sorted(domains))}), "
            f"found {domain!r}"
        )
    if columns.id is None:
        problem_id = content_id(domain, messages, reference, images)
    else:
        problem_id = _name(row, columns.id, "an id")
    return Problem(
        problem_id=problem_id,
        domain=domain,
        category=_category(row, source),
        messages=messages,
        reference=reference,
        question=messages[-1]["content"],
        prior_pass_rate=_pass_rate(row, columns.pass_rate),
        difficulty_label=_label(row, columns.label),
        demonstration=_demonstration(row, source, domain, reference),
        images=images,
        location=row.location,
    )


def content_id(
    domain: str,
    messages: tuple[Message, ...],
    reference: Any,
    images: tuple[Image | Video, ...] = (),
) -> str:
    """An id that depends on nothing but the content: the same on every machine and day."""
    digests = (image.digest for image in images)
    content = json.dumps([domain, messages, reference, *digests], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:NUM_ID_CHARACTERS]


def _messages(row: Row, source: SourceSection) -> tuple[Message, ...]:
    columns = source.columns
    if columns.messages is not None:
        turns = _turns(row, columns.messages)
    else:
        assert columns.question is not None
        turns = [{"role": "user", "content": _text(row, columns.question, "a question")}]
    if source.system_prompt is not None and turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": source.system_prompt})
    return tuple(turns)


def _pictures(
    row: Row, source: SourceSection, messages: tuple[Message, ...], video: VideoSection
) -> tuple[Image | Video, ...]:
    """The row's pictures and videos in the order in which the model reads them."""
    if source.columns.images is None and source.columns.videos is None:
        return ()
    columns, folder = source.columns, Path(source.images_folder or Path(source.path or ".").parent)
    found: dict[str, tuple[Image | Video, ...]] = {}
    for column, placeholder in ((columns.images, PLACEHOLDER), (columns.videos, VIDEO_PLACEHOLDER)):
        value = None if column is None else row.get(column)
        try:
            found[placeholder] = (
                read_videos(value, folder, video)
                if placeholder == VIDEO_PLACEHOLDER
                else _left_in(row, column, value, read_images(value, folder))
            )
        except BadImageError as error:
            raise BadRowError(f"{error} (column {column!r})") from None
        if column is not None:
            _check_placeholders(messages, placeholder, len(found[placeholder]), column)
    return _in_order(messages, found)


def _left_in(
    row: Row, column: str | None, value: Any, images: tuple[Image, ...]
) -> tuple[Image, ...]:
    """The pictures, those within the row as what reads them there again."""
    if row.place is None or column is None:
        return images
    store, index = row.place
    return tuple(
        replace(each, stored=Cell(store, index, column, part if isinstance(value, list) else None))
        if isinstance(each.stored, bytes)
        else each
        for part, each in enumerate(images)
    )


def _check_placeholders(
    messages: tuple[Message, ...], placeholder: str, number: int, column: str
) -> None:
    written = sum(turn["content"].count(placeholder) for turn in messages)
    if written not in (0, number):
        what = "videos" if placeholder == VIDEO_PLACEHOLDER else "pictures"
        raise BadRowError(
            f"expected as many {placeholder} in the text as {what} in {column!r}, "
            f"found {written} and {number}"
        )


def _in_order(
    messages: tuple[Message, ...], found: Mapping[str, tuple[Image | Video, ...]]
) -> tuple[Image | Video, ...]:
    """Those without a place in the text, which stand before the last turn, come after the places
    in earlier turns."""
    *earlier, last = (
        [name for name in PLACE.findall(turn["content"]) if found[name]] for turn in messages
    )
    written = {name for names in (*earlier, last) for name in names}
    unplaced = [name for name in found if name not in written for _ in found[name]]
    waiting = {name: iter(pictures) for name, pictures in found.items()}
    order = [*itertools.chain(*earlier), *unplaced, *last]
    return tuple(next(waiting[name]) for name in order)


def _turns(row: Row, column: str) -> list[Message]:
    value = row.get(column)
    if isinstance(value, str):
        return [{"role": "user", "content": _text(row, column, "a question")}]
    if not isinstance(value, list) or not value:
        raise BadRowError(f"expected a list of turns in {column!r}, found {_found(row, column)}")
    turns: list[Message] = []
    for turn in value:
        content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None,)
        if not all(isinstance(part, str) and part.strip() for part in content):
            raise BadRowError(
                f"expected turns with the texts role and content in {column!r}, "
                f"found {_shown(turn)}"
            )
        turns.append({"role": turn["role"], "content": turn["content"]})
    if turns[-1]["role"] != "user":
        raise BadRowError(
            f"expected the last turn in {column!r} to be the user's, "
            f"found the role {turns[-1]['role']!r}"
        )
    return turns


def _reference(row: Row, source: SourceSection) -> Any:
    column = source.columns.reference
    value = row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRowError(f"expected an answer in {column!r}, found {_found(row, column)}")
    if isinstance(value, bool) or not isinstance(value, str | int | float | list | dict):
        raise BadRowError(
            f"expected an answer that is a text, number, list or object in {column!r}, "
            f"found {_shown(value)}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRowError(f"expected a finite number in {column!r}, found {value}")
    if (stranger := _stranger(value)) is not None:
        raise BadRowError(
            f"expected texts, numbers, lists and objects alone in {column!r}, found "
            f"{_shown(stranger)} among them"
        )
    if source.reference_pattern is not None:
        return _matched(value, source.reference_pattern, "reference_pattern", column)
    return value


def _stranger(value: Any) -> Any:
    """The first value inside ``value`` that JSON has no form for; None without one."""
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        found = (_stranger(each) for each in inner)
        return next((each for each in found if each is not None), None)
    if isinstance(value, float) and not math.isfinite(value):
        return value
    return None if value is None or isinstance(value, str | int | float) else value


def _demonstration(row: Row, source: SourceSection, domain: str, reference: Any) -> str | None:
    columns = source.columns
    if columns.response == LAST_TURN and row.get(LAST_TURN) is None:
        return None  # a conversation that ends with a question
    if columns.response is not None:
        return _text(row, columns.response, "a response")
    if columns.thinking is None:
        return None
    # No thinking at all is a way to answer, too, and one that a cold start may show.
    thinking = _text(row, columns.thinking, "thinking", may_be_empty=True)
    if source.thinking_pattern is not None:
        thinking = _matched(thinking, source.thinking_pattern, "thinking_pattern", columns.thinking)
    answer = gold_answer(domain, reference)
    if answer is None:
        raise BadRowError(
            f"expected a reference of the domain {domain} that is text or a number, to end the "
            f"response with, found {_shown(reference)}. Name a column with whole responses "
            "(columns.response) instead of the thinking"
        )
    return build_response(thinking, answer)


def _matched(value: Any, pattern: str, key: str, column: str) -> str:
    if not isinstance(value, str):
        raise BadRowError(
            f"expected a text in {column!r} to search with {key}, found {_shown(value)}"
        )
    found = re.search(pattern, value)
    if found is None or not (found[1] or "").strip():
        raise BadRowError(f"expected {column!r} to match {key} {pattern!r}, found {_shown(value)}")
    return found[1]


def _category(row: Row, source: SourceSection) -> str:
    column = source.columns.category
    if column is not None and row.get(column) is not None:
        return _name(row, column, "a category")
    return source.category or source.name


def _pass_rate(row: Row, column: str | None) -> float | None:
    value = None if column is None else row.get(column)
    if value is None:
        return None
    if isinstance(value, str):  # as all cells of a CSV file are
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadRowError(f"expected a pass rate from 0 to 1 in {column!r}, found {_shown(value)}")
    return float(value)


def _label(row: Row, column: str | None) -> str | None:
    value = None if column is None else row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRowError(
            f"expected a label (a text or a number) in {column!r}, found {_shown(value)}"
        )
    return str(value)


def _name(row: Row, column: str, what: str) -> str:
    """A text, or a whole number that serves as one."""
    value = row.get(column)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(row, column, what)


def _text(row: Row, column: str, what: str, *, may_be_empty: bool = False) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not (may_be_empty or value.strip()):
        raise BadRowError(f"expected {what} (a text) in {column!r}, found {_found(row, column)}")
    return value


def _found(row: Row, column: str) -> str:
    if not row.has(column):
        return f"no such key; the row has {', '.join(row.values) or 'none'}"
    return _shown(row.get(column))


def _shown(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
