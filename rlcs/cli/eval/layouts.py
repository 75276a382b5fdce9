"""How the rows of public benchmarks become questions: one function for each layout.

A function takes a row as its data set has it and gives its questions. It raises LayoutError where
the row is not laid out as it should be; a column that is missing is the reader's to report.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError
from rewards.text.literals import read_literal
from rlcs.seeds import derive_seed

LETTERS = "ABCDEFGHIJ"
BOXED = "\n\nReason step by step, and put your final answer within \\boxed{}."
LETTER_LINE = (
    "\n\nReason step by step. End with a line 'Answer: X', where X is the letter of the right "
    "option."
)
LETTER_ALONE = "\n\nAnswer with the letter of the right option alone."
SHORT = "\n\nAnswer with a single word, number or phrase."
SPACES = {
    "norm1000": "in thousandths of the picture's width and height (0 to 1000)",
    "norm999": "in a grid over the picture from 0 to 999",
    "norm1": "as fractions of the picture's width and height (0 to 1)",
    "pixel": "in pixels of the picture",
}
"""Coordinate spaces in which references are given, in the words of the prompt."""
_NUMBERED_IMAGE = re.compile(r"<image (\d)>")


class LayoutError(Exception):
    """A row that is not laid out as its benchmark's rows are; the message says how."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, and what is right."""

    text: str
    reference: Any
    category: str
    images: tuple[Any, ...] = ()
    """Cells that hold a picture: a file's name, or ``{"bytes", "path"}``."""
    domain: str | None = None
    """Where it differs from that of the benchmark."""


Row = Mapping[str, Any]


def gsm8k(row: Row, space: str) -> Iterator[Question]:
    """The number behind ``####``."""
    number = str(row["answer"]).rpartition("####")[2].strip()
    yield Question(text=row["question"] + BOXED, reference=number, category="gsm8k")


def math500(row: Row, space: str) -> Iterator[Question]:
    """A category is a level."""
    text, level = row["problem"] + BOXED, f"level {row['level']}"
    yield Question(text=text, reference=row["answer"], category=level)


def aime(row: Row, space: str) -> Iterator[Question]:
    """A whole number from 0 to 999, in some copies a text with leading zeros."""
    number = str(row["answer"]).strip()
    if not number.isdecimal():
        raise LayoutError(f"expected a whole number in 'answer', found {number[:40]!r}")
    yield Question(text=row["problem"] + BOXED, reference=str(int(number)), category="aime")


def gpqa(row: Row, space: str) -> Iterator[Question]:
    """The four answers in an order that depends on the question alone."""
    right = str(row["Correct Answer"]).strip()
    wrong = [str(row[f"Incorrect Answer {number}"]).strip() for number in (1, 2, 3)]
    options = [right, *wrong]
    random.Random(derive_seed(0, "gpqa", str(row["Question"]))).shuffle(options)
    text = with_options(str(row["Question"]).strip(), options) + LETTER_LINE
    letter = LETTERS[options.index(right)]
    yield Question(text=text, reference=letter, category=str(row["Subdomain"]))


def mmlu_pro(row: Row, space: str) -> Iterator[Question]:
    """Up to ten options."""
    text = with_options(row["question"], row["options"]) + LETTER_LINE
    yield Question(text=text, reference=row["answer"], category=row["category"])


def mathvista(row: Row, space: str) -> Iterator[Question]:
    """Options, or a number or text of a stated kind."""
    category, images = str(row["metadata"]["task"]), (row["decoded_image"],)
    if row["question_type"] == "multi_choice":
        choices = list(row["choices"])
        if row["answer"] not in choices:
            raise LayoutError(f"expected 'answer' among 'choices', found {row['answer']!r}")
        letter = LETTERS[choices.index(row["answer"])]
        text = with_options(row["question"], choices)
        text += "\n\nReason step by step, and put the letter of the right option within \\boxed{}."
        yield Question(
            text=text, reference=letter, category=category, images=images, domain="choice"
        )
        return
    unit = f" Leave out the unit, which is {row['unit']}." if row["unit"] else ""
    digits = int(row["precision"] or 0)
    rounding = f" Round to {digits} decimal place{'s' * (digits > 1)}." if digits else ""
    is_text = row["answer_type"] == "text"
    yield Question(
        text=row["question"] + rounding + unit + BOXED,
        reference=row["answer"],
        category=category,
        images=images,
        domain="vqa" if is_text else "math",
    )


def mmmu_pro(row: Row, space: str) -> Iterator[Question]:
    """Ten options; ``<image 2>`` stands for what is in the column image_2."""
    text = with_options(row["question"], _listed(row["options"])) + LETTER_ALONE
    numbers = _NUMBERED_IMAGE.findall(text)
    images = tuple(row.get(f"image_{number}") for number in numbers)
    if None in images or not images:
        raise LayoutError("expected a picture for each <image N> of the question, found less")
    text = _NUMBERED_IMAGE.sub("<image>", text)
    yield Question(text=text, reference=row["answer"], category=row["subject"], images=images)


def mmstar(row: Row, space: str) -> Iterator[Question]:
    """The question lists its options itself."""
    text = row["question"] + LETTER_ALONE
    images = (row["image"],)
    yield Question(text=text, reference=row["answer"], category=row["category"], images=images)


def ai2d(row: Row, space: str) -> Iterator[Question]:
    """The answer is the number of an option, from 0."""
    options, number = list(row["options"]), str(row["answer"])
    if not number.isdecimal() or int(number) >= len(options):
        raise LayoutError(f"expected the number of an option in 'answer', found {number[:40]!r}")
    text = with_options(row["question"], options) + LETTER_ALONE
    letter = LETTERS[int(number)]
    yield Question(text=text, reference=letter, category="ai2d", images=(row["image"],))


def muirbench(row: Row, space: str) -> Iterator[Question]:
    """Several pictures, whose places are marked in the question and in the options."""
    text = with_options(row["question"], row["options"]) + LETTER_ALONE
    images = tuple(row["image_list"])
    if text.count("<image>") not in (0, len(images)):
        raise LayoutError(
            f"expected as many <image> as pictures in 'image_list', found {text.count('<image>')} "
            f"and {len(images)}"
        )
    yield Question(text=text, reference=row["answer"], category=row["task"], images=images)


def chartqa(row: Row, space: str) -> Iterator[Question]:
    """A category is who wrote the question: a person, or a program."""
    images = (row["image"],)
    yield Question(
        text=row["question"] + SHORT, reference=row["answer"], category=row["type"], images=images
    )


def charxiv(row: Row, space: str) -> Iterator[Question]:
    """The reasoning question of a figure."""
    text, images = row["reasoning_q"] + BOXED, (row["image"],)
    yield Question(text=text, reference=row["reasoning_a"], category=row["category"], images=images)


def screenspot(row: Row, space: str) -> Iterator[Question]:
    """Corners as fractions of the screenshot's size."""
    category = f"{row['data_source']} {row['data_type']}"
    size = picture_size(row["image"])
    yield _click(row["instruction"], row["bbox"], size, (1, 1), space, category, row["image"])


def screenspot_pro(row: Row, space: str) -> Iterator[Question]:
    """Corners in pixels of the screenshot."""
    image = row.get("image") or row["img_filename"]
    size = tuple(row["img_size"])
    category = f"{row['group']} {row['ui_type']}"
    yield _click(row["instruction"], row["bbox"], size, size, space, category, image)


def refcoco(row: Row, space: str) -> Iterator[Question]:
    """Left, top, width and height in pixels; one question for each expression."""
    size = picture_size(row["image"])
    left, top, width, height = row["bbox"]
    box = _converted((left, top, left + width, top + height), size, size, space)
    reference = {"mode": "single", "boxes": [box], **_space(space, size)}
    for expression in row["answer"]:
        text = (
            f"Find: {expression}\n\nAnswer with its bounding box [x1, y1, x2, y2] alone, "
            f"{SPACES[space]}."
        )
        yield Question(text=text, reference=reference, category="refcoco", images=(row["image"],))


def androidcontrol(row: Row, space: str) -> Iterator[Question]:
    """One step: its goal and instruction, the screenshot, the action, and around a click the box.

    The box is that of the smallest element of the accessibility tree around the click.
    """
    size = picture_size(row["image"])
    action = dict(row["action"]) if isinstance(row["action"], Mapping) else _json(row["action"])
    low = row.get("step_instruction")
    text = f"Goal: {row['goal']}\n" + (f"Step: {low}\n" if low else "")
    text += (
        "\nAnswer with the next action alone, as JSON: "
        '{"action_type": "click" or "long_press", "x": …, "y": …}, '
        '{"action_type": "input_text", "text": …}, '
        '{"action_type": "scroll", "direction": …}, {"action_type": "open_app", "app_name": …}, '
        '{"action_type": "navigate_back"}, {"action_type": "navigate_home"} or '
        '{"action_type": "wait"}. Coordinates are in pixels of the picture.'
    )
    reference = _android_reference(action, row.get("bbox"), size)
    category = str(action.get("action_type"))
    yield Question(text=text, reference=reference, category=category, images=(row["image"],))


def with_options(question: str, options: Sequence[Any]) -> str:
    """The question with its options, each in a line of its own behind its letter."""
    if not 2 <= len(options) <= len(LETTERS):
        raise LayoutError(f"expected 2 to {len(LETTERS)} options, found {len(options)}")
    lines = (f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return "\n".join([question, *lines])


def picture_size(cell: Any) -> tuple[int, int]:
    """Width and height in pixels of an encoded picture; nothing is decoded but its head."""
    import PIL.Image

    content = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(content, bytes):
        raise LayoutError("expected the bytes of a picture, found none")
    try:
        with PIL.Image.open(io.BytesIO(content)) as opened:
            return opened.size
    except Exception as error:  # readers of picture formats raise anything
        raise LayoutError(f"expected a picture that can be opened: {error}") from None


def _listed(options: Any) -> list[Any]:
    """Options that are a list, or a list's text."""
    if isinstance(options, str):
        try:
            options = read_literal(options)
        except AnswerError as error:
            raise LayoutError(f"expected a list in 'options', found {error}") from None
    return list(options)


def _json(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LayoutError(f"expected an action as a JSON object, found {str(text)[:60]!r}")
    return found


def _click(
    instruction: str,
    box: Sequence[float],
    size: tuple[int, ...],
    scale: tuple[int, ...],
    space: str,
    category: str,
    image: Any,
) -> Question:
    """A click on what ``instruction`` names; ``scale`` is what width and height are in ``box``."""
    reference = {
        "action": "click",
        "bbox": _converted(box, size, scale, space),
        **_space(space, size),
    }
    text = (
        f"Click: {instruction}\n\nAnswer with the point (x, y) to click at alone, {SPACES[space]}."
    )
    return Question(text=text, reference=reference, category=category, images=(image,))


def _converted(
    box: Sequence[float], size: Sequence[int], scale: Sequence[int], space: str
) -> list[float]:
    if len(box) != 4:
        raise LayoutError(f"expected the four numbers of a box in 'bbox', found {len(box)}")
    ends = {"norm1000": (1000, 1000), "norm999": (999, 999), "norm1": (1, 1), "pixel": size}[space]
    return [
        round(number / scale[at % 2] * ends[at % 2], 4) for at, number in enumerate(map(float, box))
    ]


def _space(space: str, size: Sequence[int]) -> dict[str, Any]:
    declared: dict[str, Any] = {"coord": space}
    return {**declared, "image_size": list(size)} if space == "pixel" else declared


def _android_reference(
    action: Mapping[str, Any], box: Any, size: tuple[int, int]
) -> dict[str, Any]:
    kind = action.get("action_type")
    if kind in ("click", "long_press"):
        if box is None:
            raise LayoutError(f"expected 'bbox', the element around the {kind}, found none")
        return {"action": kind, "bbox": [float(each) for each in box], **_space("pixel", size)}
    arguments = {
        "input_text": ("type", "text", "text"),
        "scroll": ("scroll", "direction", "direction"),
        "open_app": ("open_app", "app", "app_name"),
    }
    if kind in arguments:
        name, key, column = arguments[kind]
        return {"action": name, key: action.get(column)}
    plain = {"navigate_back": "back", "navigate_home": "home", "wait": "wait"}
    if kind not in plain:
        raise LayoutError(f"expected an action_type of AndroidControl, found {str(kind)[:40]!r}")
    return {"action": plain[kind]}
